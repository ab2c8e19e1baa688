import { readdir } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import type { View } from '../../src/dashboard/view.ts';
import { startBroker } from '../../src/mqtt/broker.ts';
import { createLog } from '../../src/service/log.ts';
import { openStateKeeper } from '../../src/service/state-keeper.ts';
import { openLink, send } from '../mqtt/links.ts';
import { findPort } from '../mqtt/ports.ts';
import { makeFolder } from '../state/folder.ts';
import { hourMs, startMs } from '../stream/tiny-engine.ts';
import { createRoadMemory, openKeptRoad } from './kept-road.ts';
import { breakAt, engine, openTestService, payloadAt } from './service-cases.ts';

test('the page answers while a start goes through a long past', async () => {
  const broker = await startBroker();
  const port = await findPort();
  const views: View[] = [];
  let asked: Promise<void> | undefined;
  const ask = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/view`);
    views.push((await response.json()) as View);
  };
  let viewsMeanwhile = 0;
  const endMs = performance.now() + 30_000;
  // as long as the page needs
  function* history() {
    for (let hour = 0; views.length === 0 && performance.now() < endMs; hour++) {
      asked ??= ask();
      yield [50, 1000].map((value, feature) => ({
        ...{ stream: 'a', feature, timeMs: startMs + hour * hourMs, value },
      }));
    }
    viewsMeanwhile = views.length;
  }
  const { service } = await openTestService({
    ...{ url: broker.url, history: history(), dashboard: { host: '127.0.0.1', port } },
  });
  await asked;
  expect(viewsMeanwhile).toBe(1);
  expect(views[0].overview).toMatchObject({ streams: 1, broker: { state: 'starting' } });
  const { overview } = service.view({ filter: '', target: 0, stream: '' });
  expect(overview.broker.state).toBe('connected');
  await service.close();
  await broker.close();
});

const rows = Array.from({ length: 20 }, (_, hour) =>
  [50, 1000].map((value, feature) => ({
    ...{ stream: 'a', feature, timeMs: startMs + hour * hourMs, value },
  })),
);

function* brokenHistory() {
  yield* rows.slice(0, 10);
  throw new Error('no such row');
}

test.each([
  ['a row', 'no such row', { history: brokenHistory() }],
  ['a step', 'no such step', { history: rows, engine: breakAt(10) }],
])('where %s of the past fails, nothing is kept and nothing live is read', async (_, message, options) => {
  const broker = await startBroker();
  const folder = await makeFolder();
  const { service } = await openTestService({
    ...{ url: broker.url, state: { folder, commitMs: 10, ack: 'auto' }, ...options },
  });
  await expect(service.failed).rejects.toThrow(message);
  const { link } = await openLink({ url: broker.url });
  await send(link, 'sensors/b/weather', payloadAt(0));
  await service.close();
  expect(service.readings.ended.applied).toBe(0);
  expect(await readdir(folder)).toEqual([]);
  await broker.close();
});

test('a start that goes through a long log says how far it is', async () => {
  const folder = await makeFolder();
  const first = await openKeptRoad(folder, engine);
  for (let hour = 0; hour < 10; hour++) {
    first.push([{ stream: 'a', feature: 0, timeMs: startMs + hour * hourMs, value: hour }]);
    await first.keeper.commit();
  }
  await first.keeper.close();
  const lines: Record<string, unknown>[] = [];
  const log = createLog('test', { destination: { write: (line: string) => lines.push(JSON.parse(line)) } });
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const second = await openStateKeeper({ folder, engine, log, ...createRoadMemory(engine) });
    // a second each
    for (const _ of second.history) vi.advanceTimersByTime(1_000);
    await second.close();
  } finally {
    vi.useRealTimers();
  }
  expect(lines.map(({ msg, percent, seconds }) => [msg, percent, seconds])).toEqual([
    ['found the states of an earlier run; goes through the log since then', undefined, undefined],
    ...[2, 4, 6, 8, 10].map((seconds) => ['goes through the log', 10 * seconds, seconds]),
  ]);
});
