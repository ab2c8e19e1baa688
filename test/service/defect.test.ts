import { expect, test } from 'vitest';
import { startBroker } from '../../src/mqtt/broker.ts';
import { findDifferences } from '../chaos/reference.ts';
import { openLink, send } from '../mqtt/links.ts';
import { until } from '../mqtt/until.ts';
import { makeFolder } from '../state/folder.ts';
import { hourMs, startMs } from '../stream/tiny-engine.ts';
import { openKeptRoad, openTestRoad } from './kept-road.ts';
import { breakAt, engine, openTestService, payloadAt } from './service-cases.ts';

test('nothing that comes with or after a defect is acknowledged, and a start without it has everything', async () => {
  const broker = await startBroker();
  const folder = await makeFolder();
  const options = {
    ...({ url: broker.url, protocol: '3.1.1', clientId: 'defect' } as const),
    state: { folder, commitMs: 10, ack: 'on-commit' } as const,
  };
  const first = await openTestService({ ...options, engine: breakAt(3) });
  const { link } = await openLink({ url: broker.url });
  const hours = 12;
  for (let hour = 0; hour < hours; hour++) await send(link, 'sensors/a/weather', payloadAt(hour));
  await expect(first.service.failed).rejects.toThrow('no such step');
  await until(() => first.service.messages.total === hours);
  // commits, for the last time, what there is
  await first.service.close();
  const { service } = await openTestService(options);
  await until(() => service.monitor.find('a')?.answeredMs === startMs + (hours - 1) * hourMs);
  await service.close();
  const history = Array.from({ length: hours }, (_, hour) =>
    [50 + Math.sin(hour), 1000].map((value, feature) => ({
      ...{ stream: 'a', feature, timeMs: startMs + hour * hourMs },
      value: Math.fround(value),
    })),
  );
  const after = await openKeptRoad(folder, engine);
  expect(findDifferences(after.memory, openTestRoad(engine, { history }).memory)).toEqual([]);
  await after.keeper.close();
  await broker.close();
});
