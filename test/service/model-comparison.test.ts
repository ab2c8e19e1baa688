import { expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { createModelRoad } from '../../src/service/model-road.ts';
import { createServing } from '../../src/service/serving.ts';
import { createCounters } from '../../src/stream/counters.ts';
import { createTinyEngine, hourMs, startMs } from '../stream/tiny-engine.ts';

const engine = createTinyEngine();

/** The tiny model with its answers three steps ahead higher by 3. */
function createWorseAhead(): Engine {
  const { head } = engine.model;
  if (!head) throw new Error('the tiny model has a head');
  const values = head.bias.values.map((value, step) => (step === 2 ? value + 3 : value));
  return {
    ...createTinyEngine({ head: { ...head, bias: { ...head.bias, values } as typeof head.bias } }),
    id: 'cd'.repeat(32),
  };
}

/** Both models, side by side from a time on at which their states are warm. */
async function openShadow(young: Engine, streams: number) {
  const options = { maxStreams: 1_000, charted: false };
  const road = createModelRoad({
    ...{ ...options, durable: undefined, first: createServing(engine, options), counters: createCounters() },
    ...{ onOutcome() {}, arrivedMs: () => 0 },
    onDefect(defect) {
      throw defect;
    },
  });
  const shadow = await road.openShadow(young);
  let hour = 0;
  return {
    compare: shadow.compare,
    pushHours(count: number) {
      for (const end = hour + count; hour < end; hour++) {
        const timeMs = startMs + hour * hourMs;
        const readings = Array.from({ length: streams }, (_, i) => [
          { stream: `s${i}`, timeMs, feature: 0, value: Math.fround(50 + Math.sin(hour + i)) },
          { stream: `s${i}`, timeMs, feature: 1, value: 1000 },
        ]);
        road.push({ origin: 'live', readings: readings.flat() });
      }
    },
  };
}

test('the forecasts of a horizon count when they have met their readings, however many of a nearer one have', async () => {
  const { compare, pushHours } = await openShadow(engine, 100);
  while (compare().pairs === 0) pushHours(1);
  expect(compare()).toMatchObject({ pairs: 100, fewest: { pairs: 0, target: 'temp', steps: 3 } });
  pushHours(1);
  expect(compare()).toMatchObject({ pairs: 200, fewest: { pairs: 0, target: 'temp', steps: 3 } });
  pushHours(1);
  expect(compare()).toMatchObject({ pairs: 400, fewest: { pairs: 100, target: 'temp', steps: 3 }, ratio: 1 });
});

test('a far horizon counts as much as a near one of which many more forecasts have met their readings', async () => {
  const { compare, pushHours } = await openShadow(createWorseAhead(), 100);
  while (compare().fewest.pairs === 0) pushHours(1);
  const { pairs, ratio, shadowMae, servingMae } = compare();
  expect(pairs).toBe(400);
  expect(ratio).toBeCloseTo(shadowMae / servingMae, 9);
  // its forecasts are 30 degrees higher where it is worse: on a quarter of the pairs, and half of the horizons
  expect(shadowMae - servingMae).toBeGreaterThan(30 / 4);
});
