import { expect, test } from 'vitest';
import { textOf } from '../mqtt/links.ts';
import { describeWithMosquitto } from '../mqtt/mosquitto.ts';
import { until } from '../mqtt/until.ts';
import { openDurablePlant, perMessage, readLog, totalOf, untilCounted } from './durable-plant.ts';

describeWithMosquitto('a service that keeps its states', () => {
  test('sends a forecast once more that was on its way when it was killed', async () => {
    const { wire, start, publish, forecasts, stateFolder } = await openDurablePlant();
    const seen = () =>
      forecasts.deliveries.filter(({ topic }) => topic === 'cellstream/s0/forecast').map(textOf);
    const first = await start();
    await publish(0, 1);
    await until(() => seen().length === 1);
    // the second frame is answered and logged, and neither its forecast nor its acknowledgement gets out
    wire.delay(3_600_000, 'up');
    await publish(50, 51);
    await until(async () => (await readLog(stateFolder)).length >= 2 * perMessage);
    await first.kill('SIGKILL');
    wire.cut();
    wire.delay(0);
    expect(seen()).toHaveLength(1);
    const second = await start();
    await until(() => seen().length === 2);
    expect(JSON.parse(seen()[1])).toMatchObject({ stream: 's0', time: '2013-10-20T01:00:00Z' });
    const { readings } = await second.stop();
    expect(readings.applied).toBe(0);
    // of the first message the acknowledgement may have come through
    expect([1, 2]).toContain(readings.duplicate / perMessage);
    expect(await readLog(stateFolder)).toHaveLength(2 * perMessage);
  });

  test('acknowledges all that it has counted before it stops, under load too', async () => {
    const { start, publish } = await openDurablePlant();
    let run = await start('commit: 1s');
    let messages = 0;
    let stops = 0;
    const publishAll = async () => {
      // however long this machine takes for a stop and a start
      while (stops < 3) {
        messages += 1_000;
        await publish(messages - 1_000, messages, 3_000);
      }
    };
    let isPublished = false;
    const published = publishAll().then(() => {
      isPublished = true;
    });
    // what fails below is what matters then
    published.catch(() => {});
    let counted = 0;
    while (!isPublished) {
      await until(async () => isPublished || totalOf((await run.view()).overview) >= 1_000);
      const startMs = performance.now();
      counted += totalOf(await run.stop());
      expect(performance.now() - startMs).toBeLessThan(5_000);
      stops++;
      run = await start('commit: 1s');
    }
    await published;
    await untilCounted(run, perMessage * messages - counted);
    const last = await run.stop();
    expect(counted + totalOf(last)).toBe(perMessage * messages);
  }, 180_000);

  test('stops within 5 seconds when the broker is stuck, and has everything on disk', async () => {
    const { broker, start, publish, stateFolder } = await openDurablePlant();
    const run = await start('commit: 1h');
    await publish(0, 500);
    await untilCounted(run, 500 * perMessage);
    broker.pause();
    const startMs = performance.now();
    const { readings } = await run.stop();
    expect(performance.now() - startMs).toBeLessThan(5_000);
    broker.resume();
    expect(readings.applied).toBe(500 * perMessage);
    expect(await readLog(stateFolder)).toHaveLength(500 * perMessage);
  });

  test('has its folder for itself', async () => {
    const { start, publish } = await openDurablePlant();
    const first = await start();
    const second = await start();
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain('is in use by another cellstream: one service a folder');
    await publish(0, 10);
    await untilCounted(first, 10 * perMessage);
    expect((await first.stop()).readings.applied).toBe(10 * perMessage);
  });

  test('loses nothing at a broker that sends 20 messages before it wants the first acknowledged', async () => {
    const { start, publish } = await openDurablePlant({
      lines: ['max_inflight_messages 20', 'max_queued_messages 1000'],
      protocol: '3.1.1',
    });
    const run = await start('commit: 1s, ack: on-commit');
    // never more than the broker queues, however slow the disk is
    for (let messages = 0; messages < 3_000; messages += 500) {
      await publish(messages, messages + 500, 500);
      await untilCounted(run, (messages + 500) * perMessage);
    }
    const { readings, state } = await run.stop();
    expect(readings).toMatchObject({ applied: 3_000 * perMessage, duplicate: 0, late: 0 });
    // more than the seconds that it took: it did not wait for the interval
    expect(state.commits).toBeGreaterThan(50);
  });
});
