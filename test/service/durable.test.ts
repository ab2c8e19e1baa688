import { describe, expect, test } from 'vitest';
import { startBroker } from '../../src/mqtt/broker.ts';
import { listNumbers } from '../../src/state/state-files.ts';
import { findDifferences } from '../chaos/reference.ts';
import { openLink, send } from '../mqtt/links.ts';
import { startNarrowBroker } from '../mqtt/narrow-broker.ts';
import { until } from '../mqtt/until.ts';
import { copyFolder, makeFolder } from '../state/folder.ts';
import { hourMs, startMs } from '../stream/tiny-engine.ts';
import { openKeptRoad, openTestRoad } from './kept-road.ts';
import { engine, openTestService, payloadAt } from './service-cases.ts';

describe('a service with a state folder, at a broker that speaks MQTT 3.1.1 only,', () => {
  test.each([
    ['auto', 1],
    ['on-receipt', 0],
    ['on-commit', 0],
  ] as const)('with ack: %s says %i times what a kill would lose', async (ack, times) => {
    const broker = await startBroker();
    const folder = await makeFolder();
    const { service, lines } = await openTestService({
      ...{ url: broker.url, clientId: `durable-${ack}` },
      state: { folder, commitMs: 20, ack },
    });
    const warnings = () => lines.filter(({ msg }) => String(msg).includes('acknowledged on arrival'));
    const sensor = await openLink({ url: broker.url, protocol: '3.1.1' });
    for (let hour = 0; hour < 5; hour++) await send(sensor.link, 'sensors/a/weather', payloadAt(hour));
    await until(() => service.sink.published === 5);
    await until(() => service.durable?.view().uncommitted === 0);
    await until(() => service.durable?.view().unacknowledged === 0);
    expect(warnings()).toHaveLength(times);
    await service.close();
    await broker.close();
  });
});

// more than 32 are acknowledged in pieces
test.each([16, 100])(
  'a service at a broker of MQTT 5 that sends %i messages at a time waits for the interval only at first',
  async (window) => {
    const broker = await startNarrowBroker(window);
    const { service } = await openTestService({
      ...{ url: broker.url, protocol: '5', clientId: `durable-narrow-${window}` },
      state: { folder: await makeFolder(), commitMs: 1_000, ack: 'auto' },
    });
    const messages = Array.from({ length: 60 * window }, (_, hour) => ({
      topic: 'sensors/a/weather',
      payload: payloadAt(hour),
    }));
    broker.send(messages);
    // 60 intervals would take a minute
    await until(() => broker.acknowledged === messages.length, 40_000);
    expect(service.readings.ended).toMatchObject({ applied: 2 * messages.length });
  },
);

test('what the states of a service were warmed by survives a kill before the first message', async () => {
  const broker = await startBroker();
  const folder = await makeFolder();
  const history = Array.from({ length: 50 }, (_, hour) =>
    [50 + Math.sin(hour), 1000].map((value, feature) => ({
      ...{ stream: 'a', feature, timeMs: startMs + hour * hourMs },
      value: Math.fround(value),
    })),
  );
  const state = { folder, commitMs: 60_000, ack: 'auto' } as const;
  const { service } = await openTestService({ url: broker.url, history, state });
  await until(async () => (await listNumbers(folder, 'snapshot')).length === 1);
  const copy = await copyFolder(folder);
  await service.close();
  const after = await openKeptRoad(copy, engine);
  expect(after.memory.table.streams.size).toBe(1);
  expect(findDifferences(after.memory, openTestRoad(engine, { history }).memory)).toEqual([]);
  await after.keeper.close();
  // with nothing but its own past it has no need of another
  const next = await openTestService({ url: broker.url, history: [], state });
  await next.service.close();
  expect(await listNumbers(folder, 'snapshot')).toHaveLength(1);
  await broker.close();
});

test('a start says that the folder has more streams than there may be now', async () => {
  const broker = await startBroker();
  const folder = await makeFolder();
  const sensor = await openLink({ url: broker.url });
  const start = (maxStreams: number) =>
    openTestService({
      ...{ url: broker.url, clientId: 'durable-many', maxStreams },
      state: { folder, commitMs: 20, ack: 'auto' },
    });
  const warnings: unknown[][] = [];
  for (const maxStreams of [3, 3, 2]) {
    const { service, lines } = await start(maxStreams);
    if (warnings.length === 0) {
      for (const stream of ['a', 'b', 'c'])
        await send(sensor.link, `sensors/${stream}/weather`, payloadAt(0));
      await until(() => service.sink.published === 3);
    }
    await service.close();
    warnings.push(lines.filter(({ msg }) => String(msg).includes('more streams than maxStreams')));
  }
  expect(warnings).toEqual([[], [], [expect.objectContaining({ maxStreams: 2 })]]);
  await broker.close();
});
