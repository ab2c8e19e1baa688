import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { openLink, textOf } from '../mqtt/links.ts';
import { describeWithMosquitto } from '../mqtt/mosquitto.ts';
import { until } from '../mqtt/until.ts';
import { makeDisk } from '../state/folder.ts';
import { mountsDisks } from '../state/small-disk.ts';
import {
  openDurablePlant,
  perMessage,
  readLog,
  streams,
  totalOf,
  untilApplied,
  untilCounted,
} from './durable-plant.ts';
import type { RunProcess } from './run-process.ts';

/** Bytes of memory that the process holds. */
function rssOf({ pid }: RunProcess): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return 1024 * Number(kilobytes);
}

/** As long as the longest that is promised; without it they last until the other side has noticed. */
const isLong = process.env.CELLSTREAM_LONG !== undefined;

const says = (run: RunProcess, text: string) => run.lines.some(({ msg }) => msg.includes(text));

/** Waits until that many forecasts were made; of those that came at once the newest of a stream alone is published. */
function untilAnswered(run: RunProcess, count: number): Promise<void> {
  return until(async () => {
    const { forecasts, superseded } = (await run.view()).overview;
    return forecasts + superseded >= count;
  }, 30_000);
}

describeWithMosquitto('a service that keeps its states, in trouble,', () => {
  test('counts every number once when the broker is restarted', async () => {
    const { broker, start, publish } = await openDurablePlant();
    const run = await start('commit: 200ms');
    await publish(0, 2_000);
    await broker.stop('SIGTERM');
    await broker.start();
    await until(() => says(run, 'session resumed, after'));
    await publish(2_000, 4_000);
    await untilApplied(run, 4_000 * perMessage);
    const { readings, reconnects } = await run.stop();
    expect(reconnects).toBe(1);
    expect(readings.applied).toBe(4_000 * perMessage);
    expect(totalOf({ readings })).toBe(4_000 * perMessage + readings.duplicate + readings.late);
  });

  // the broker asks for the shortest keepalive that it may, 10 s: both sides notice after 15
  test('counts every number once after a partition in which neither side hears the other', async () => {
    const { wire, start, publish } = await openDurablePlant({ lines: ['max_keepalive 10'] });
    const run = await start('commit: 200ms');
    await publish(0, 1_000);
    const sinceMs = performance.now();
    wire.delay(3_600_000);
    await publish(1_000, 3_000);
    await until(() => says(run, 'no connection to the broker'), 30_000);
    if (isLong) await sleep(sinceMs + 60_000 - performance.now());
    wire.cut();
    wire.delay(0);
    await untilApplied(run, 3_000 * perMessage);
    const { readings, reconnects, forecasts } = await run.stop();
    expect(reconnects).toBeGreaterThan(0);
    expect(readings.applied).toBe(3_000 * perMessage);
    expect(forecasts).toMatchObject({ dropped: 0, failed: 0, waiting: 0 });
  }, 180_000);

  test('counts every number once after it was stopped for longer than the broker waits', async () => {
    const { broker, start, publish, stateFolder } = await openDurablePlant({ lines: ['max_keepalive 10'] });
    const status = await openLink({
      url: broker.url,
      filters: [{ topic: 'cellstream/plant/status', qos: 1 }],
    });
    const run = await start('commit: 200ms');
    await publish(0, 1_000);
    const sinceMs = performance.now();
    run.pause();
    await publish(1_000, 3_000);
    await until(() => status.deliveries.some((delivery) => textOf(delivery) === 'offline'), 30_000);
    // stopped, it still holds its folder
    const other = await start();
    expect(other.stderr).toContain(`${stateFolder} is in use`);
    if (isLong) await sleep(sinceMs + 90_000 - performance.now());
    run.resume();
    await untilApplied(run, 3_000 * perMessage);
    const { readings } = await run.stop();
    expect(readings.applied).toBe(3_000 * perMessage);
    expect(totalOf({ readings })).toBe(3_000 * perMessage + readings.duplicate + readings.late);
  }, 180_000);

  test('stays small while ten times as much comes as it can take, and what is too much is shed at the broker', async () => {
    const { broker, start, publish } = await openDurablePlant({
      lines: ['max_queued_messages 2000', 'sys_interval 1'],
    });
    const dropped = await openLink({
      ...{ url: broker.url, filters: [{ topic: '$SYS/broker/publish/messages/dropped', qos: 0 }] },
    });
    const run = await start('commit: 500ms');
    await publish(0, 2_000);
    await untilCounted(run, 2_000 * perMessage);
    const calmBytes = rssOf(run);
    let mostBytes = 0;
    // it runs for a tenth of the time
    let turns = 0;
    const throttle = setInterval(() => {
      if (turns++ % 10 === 0) run.resume();
      else run.pause();
      mostBytes = Math.max(mostBytes, rssOf(run));
    }, 20);
    onTestFinished(() => clearInterval(throttle));
    const messages = 200_000;
    await publish(2_000, messages);
    clearInterval(throttle);
    run.resume();
    const shed = () => Number(textOf(dropped.deliveries.at(-1) ?? { payload: Buffer.from('0') }));
    await until(async () => totalOf((await run.view()).overview) / perMessage + shed() >= messages, 60_000);
    const { readings } = await run.stop();
    expect(shed()).toBeGreaterThan(0);
    expect(totalOf({ readings }) / perMessage + shed()).toBe(messages);
    expect(readings).toMatchObject({ duplicate: 0, late: 0, malformed: 0, overflow: 0 });
    expect(mostBytes - calmBytes).toBeLessThan(100e6);
  }, 180_000);

  test.runIf(mountsDisks())(
    'goes on while its disk is full, acknowledges nothing, and has lost nothing when there is room again',
    async () => {
      const { folder, disk } = await makeDisk();
      const { start, publish, forecasts } = await openDurablePlant({ stateFolder: folder });
      const run = await start('commit: 100ms');
      await publish(0, 100);
      await untilCounted(run, 100 * perMessage);
      disk.fill();
      await publish(100, 2_000);
      await until(() => says(run, 'degraded: states do not reach the disk'), 30_000);
      // every frame is answered all the same
      await until(() => forecasts.deliveries.length >= 2_000, 30_000);
      await run.kill('SIGKILL');
      const next = await start('commit: 100ms');
      await until(() => says(next, 'degraded: states do not reach the disk'), 30_000);
      disk.empty();
      await until(() => says(next, 'the disk takes states again'), 30_000);
      // the disk may have been full before the commit of some of the first hundred: then these come again too
      await until(async () => (await readLog(folder)).length === 2_000 * perMessage, 30_000);
      const { state } = await next.stop();
      expect(state.degraded).toBeNull();
      const last = await start('commit: 100ms');
      await publish(0, 2_000);
      await untilCounted(last, 2_000 * perMessage);
      // it had all of them
      const { readings } = await last.stop();
      expect(readings).toMatchObject({ applied: 0 });
    },
  );

  test.runIf(mountsDisks())(
    'starts on a disk that is read-only, acknowledges nothing, and has lost nothing when it may write again',
    async () => {
      const { folder, disk } = await makeDisk();
      const { start, publish, forecasts } = await openDurablePlant({ stateFolder: folder });
      const first = await start('commit: 100ms');
      await publish(0, 100);
      await untilApplied(first, 100 * perMessage);
      await first.stop();
      disk.makeReadOnly();
      const run = await start('commit: 100ms');
      await publish(100, 2_000);
      await until(() => says(run, 'degraded: states do not reach the disk'), 30_000);
      await untilAnswered(run, 1_900);
      await run.kill('SIGKILL');
      const before = forecasts.deliveries.length;
      const next = await start('commit: 100ms');
      // the broker had all of them still
      await untilApplied(next, 1_900 * perMessage);
      await untilAnswered(next, 1_900);
      // of each stream the newest at least
      await until(() => forecasts.deliveries.length >= before + streams);
      disk.makeWritable();
      await until(() => says(next, 'the disk takes states again'), 30_000);
      const { state } = await next.stop();
      expect(state.degraded).toBeNull();
      const logged = await readLog(folder);
      expect(logged).toHaveLength(2_000 * perMessage);
      expect(new Set(logged.map((reading) => JSON.stringify({ ...reading, value: 0 }))).size).toBe(
        logged.length,
      );
      const last = await start('commit: 100ms');
      await publish(0, 2_000);
      await untilCounted(last, 2_000 * perMessage);
      const { readings } = await last.stop();
      expect(readings).toMatchObject({ applied: 0 });
    },
  );
});
