import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { startBroker } from '../../src/mqtt/broker.ts';
import { startReports } from '../../src/service/reports.ts';
import { openLink, send } from '../mqtt/links.ts';
import { until } from '../mqtt/until.ts';
import { createTinyEngine } from '../stream/tiny-engine.ts';
import { engine, openTestService, payloadAt } from './service-cases.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** The tiny model with answers that are higher by 3. */
function createWorse(): Engine {
  const { head } = engine.model;
  if (!head) throw new Error('the tiny model has a head');
  const bias = { ...head.bias, values: head.bias.values.map((value) => value + 3) } as typeof head.bias;
  return { ...createTinyEngine({ head: { ...head, bias } }), id: 'ab12cd34'.repeat(8) };
}

test('the page and the log show the error of a shadow beside that of the model that serves', async () => {
  const broker = await startBroker();
  const { service } = await openTestService({ url: broker.url });
  const said: { readonly fields: object; readonly message: string }[] = [];
  const stop = startReports(service, { info: (fields, message) => said.push({ fields, message }) });
  const view = () => service.view({ filter: '', target: 0, stream: '' }).overview.shadow;
  const { link } = await openLink({ url: broker.url });
  let hour = 0;
  const sendHours = async (count: number) => {
    for (const end = hour + count; hour < end; hour++) {
      await send(link, 'sensors/a/weather', payloadAt(hour));
    }
    await until(() => service.sink.published === hour);
  };
  await sendHours(20);
  expect(view()).toBeNull();
  const shadow = await service.openShadow(createWorse());
  expect(view()).toEqual({ id: 'ab12cd34'.repeat(8), n: 0, mae: null, servingMae: null });
  await sendHours(40);
  const { n, mae, servingMae } = view() ?? {};
  const { pairs, ratio } = shadow.compare();
  expect(n).toBe(pairs);
  expect(n).toBeGreaterThan(40);
  expect((mae as number) / (servingMae as number)).toBeCloseTo(ratio, 9);
  expect(mae).toBeGreaterThan(2 * (servingMae as number));
  vi.advanceTimersByTime(60_000);
  const short = (error: unknown) => Number((error as number).toPrecision(3));
  expect(said.map(({ message }) => message)).toEqual([
    'counters',
    `shadow ab12cd34: error ${short(mae)}, serving ${short(servingMae)}, ${n} forecasts`,
  ]);
  expect(said[1].fields).toEqual({ shadow: view() });
  shadow.close();
  expect(view()).toBeNull();
  vi.advanceTimersByTime(60_000);
  expect(said.slice(2).map(({ message }) => message)).toEqual(['counters']);
  stop();
  await service.close();
  await broker.close();
});
