import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { readInputFile } from '../../src/cli/input-file.ts';
import { type Player, startPlayer } from '../../src/cli/player.ts';
import { readRecordedMessages } from '../../src/cli/recorded-messages.ts';
import { loadModel } from '../../src/engine/engine.ts';
import { parseTopicPattern } from '../../src/mqtt/topic.ts';
import { openLink } from '../mqtt/links.ts';
import { describeWithMosquitto, type Mosquitto, startMosquitto } from '../mqtt/mosquitto.ts';
import { findPort } from '../mqtt/ports.ts';
import { until } from '../mqtt/until.ts';
import { type RunProcess, startRun } from './run-process.ts';
import { openTestService } from './service-cases.ts';

const models = fileURLToPath(new URL('../../models/nyc-weather/', import.meta.url));
const sensors = parseTopicPattern('sensors/{stream}/weather');
const hourMs = 3_600_000;
const ticks = 500;
/** What mosquitto keeps in memory only, and a little. */
const autosaveMs = 1_500;
const weather = await loadModel(readFileSync(join(models, 'nyc-weather.pb')));

/** The first hours of three stations. */
function recordedTicks() {
  const path = join(models, 'weather.csv');
  const recorded = readRecordedMessages(readInputFile(path, 'recording'), path, {
    ...{ stream: 'origin', columns: ['temp', 'dewp', 'pressure'], numberMessages: false, warn: () => {} },
  });
  return [...recorded.ticks].slice(0, ticks);
}

const allTicks = recordedTicks();
/** Of a message: temp, dewp and pressure, a missing one as null. */
const perMessage = 3;
const numbers = numbersOf(0, ticks);

interface Plant {
  readonly broker: Mosquitto;
  /** @param state its line in the config */
  start(state?: string): Promise<RunProcess>;
  /** Publishes ticks[from..to-1] at QoS 1, `perSecond` of them. */
  play(from: number, to: number, perSecond?: number): Promise<Player>;
}

async function openPlant(): Promise<Plant> {
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-plant-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const broker = await startMosquitto();
  const config = `model: ${models}nyc-weather.pb
broker: { url: ${broker.url} }
subscribe: [{ topic: sensors/{stream}/weather }]
dashboard: { port: ${await findPort()} }
`;
  return {
    broker,
    start: (state = '') => startRun(folder, `${config}${state}\n`),
    async play(from, to, perSecond = Number.POSITIVE_INFINITY) {
      const { link } = await openLink({ url: broker.url });
      const speed = (hourMs * perSecond) / 1000;
      return startPlayer({ link, topics: sensors, ticks: allTicks.slice(from, to), speed, qos: 1 });
    },
  };
}

const total = (readings: Readonly<Record<string, number>>) =>
  Object.values(readings).reduce((sum, count) => sum + count, 0);

/** Waits until the page shows that many readings. */
async function counted(run: RunProcess, count: number): Promise<number> {
  let shown = 0;
  const deadline = performance.now() + 60_000;
  while (shown < count && performance.now() < deadline) shown = total((await run.view()).overview.readings);
  return shown;
}

describeWithMosquitto('every published number is in exactly one counter', () => {
  test('when nothing goes wrong', async () => {
    const { start, play } = await openPlant();
    const run = await start();
    const player = await play(0, ticks);
    await player.done;
    expect(perMessage * player.messages).toBe(numbers);
    await counted(run, numbers);
    const { readings, forecasts, messages } = await run.stop();
    expect(readings).toMatchObject({ applied: numbers, duplicate: 0, late: 0, malformed: 0 });
    expect(forecasts).toEqual({ published: messages, superseded: 0, dropped: 0, failed: 0, waiting: 0 });
  });

  test('when the broker is restarted in the middle of a replay: what is sent twice is a duplicate, or late', async () => {
    const { broker, start, play } = await openPlant();
    const run = await start();
    const player = await play(0, ticks, 200);
    await until(() => player.ticks > ticks / 3);
    await broker.stop('SIGTERM');
    await broker.start();
    await player.done;
    await counted(run, numbers);
    const { readings, reconnects } = await run.stop();
    expect(reconnects).toBe(1);
    expect(readings).toMatchObject({ applied: numbers, malformed: 0 });
    // what was not acknowledged when it went away: of an aligner's memory, or from before it
    expect(total(readings)).toBe(numbers + readings.duplicate + readings.late);
  });

  test('when the broker is killed: only what was on its way through it at that moment is lost', async () => {
    const broker = await startMosquitto();
    const seen = new Set<string>();
    const { service } = await openTestService({
      ...{ url: broker.url, clientId: 'accounts', engine: weather },
      wrapDecoder: (decoder) => (message) => {
        seen.add(Buffer.from(message.payload).toString() + message.stream);
        return decoder(message);
      },
    });
    const { link } = await openLink({ url: broker.url });
    const publishedMs = new Map<string, number>();
    const player = startPlayer({
      ...{ link, topics: sensors, ticks: allTicks, speed: (hourMs * 200) / 1000, qos: 1 },
      onPublish: ({ payload, stream }) => publishedMs.set(payload + stream, performance.now()),
    });
    await until(() => player.ticks > ticks / 3);
    const killedMs = performance.now();
    await broker.stop('SIGKILL');
    await broker.start();
    await until(() => service.link.reconnects === 1);
    const backMs = performance.now();
    await player.done;
    const last = [...publishedMs.keys()].at(-1) as string;
    await until(() => seen.has(last));

    const lost = [...publishedMs].filter(([message]) => !seen.has(message));
    for (const [, atMs] of lost) {
      expect(atMs).toBeGreaterThan(killedMs - autosaveMs);
      expect(atMs).toBeLessThan(backMs);
    }
    const { applied, duplicate, late, malformed } = service.readings.ended;
    expect(applied).toBe(perMessage * seen.size);
    expect(applied + perMessage * lost.length).toBe(numbers);
    expect({ malformed, merged: service.readings.ended.merged }).toEqual({ malformed: 0, merged: 0 });
    // all else was sent twice
    expect(perMessage * service.messages.total).toBe(applied + duplicate + late);
  });

  test('when the service is stopped and started again: the broker keeps what comes in between', async () => {
    const { start, play } = await openPlant();
    const first = await start();
    const player = await play(0, ticks, 200);
    await until(() => player.ticks > ticks / 3);
    const before = await first.stop();
    await until(() => player.ticks > ticks / 2);
    const second = await start();
    expect(second.lines.some(({ msg }) => msg.includes('session resumed'))).toBe(true);
    await player.done;
    await counted(second, numbers - total(before.readings));
    const after = await second.stop();
    expect(before.readings.applied + after.readings.applied).toBe(numbers);
    expect(total(before.readings) + total(after.readings)).toBe(numbers);
  });

  test('when the service is killed before its first commit: the broker has kept everything', async () => {
    const { start, play } = await openPlant();
    const first = await start('state: { commit: 1h }');
    await (await play(0, 200)).done;
    const firstNumbers = numbersOf(0, 200);
    expect(await counted(first, firstNumbers)).toBe(firstNumbers);
    await first.kill('SIGKILL');
    await (await play(200, 300)).done;
    const second = await start();
    await (await play(300, ticks)).done;
    await counted(second, numbers);
    const { readings } = await second.stop();
    expect(readings).toMatchObject({ applied: numbers, duplicate: 0, late: 0 });
  });

  test('when the service keeps no states: what it had counted is lost with it, what comes later is not', async () => {
    const { start, play } = await openPlant();
    const first = await start('state: { commit: off }');
    await (await play(0, 200)).done;
    const firstNumbers = numbersOf(0, 200);
    expect(await counted(first, firstNumbers)).toBe(firstNumbers);
    await first.kill('SIGKILL');
    await (await play(200, ticks)).done;
    const second = await start('state: { commit: off }');
    await counted(second, numbers - firstNumbers);
    const { readings } = await second.stop();
    expect(readings).toMatchObject({ applied: numbers - firstNumbers, duplicate: 0, late: 0 });
  });
});

function numbersOf(from: number, to: number): number {
  return perMessage * allTicks.slice(from, to).flatMap((tick) => tick.messages).length;
}
