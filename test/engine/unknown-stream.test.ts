import { describe, expect, test } from 'vitest';
import { fitFeatureScalers } from '../../src/data/scalers.ts';
import { createSession } from '../../src/engine/session.ts';
import type { Model } from '../../src/model/model.ts';
import { fitStreams } from '../../src/train/fit-inputs.ts';
import { createModel } from '../fixtures/random-model.ts';
import { hoursOf, listen, shipped, trainEnd, weather } from './airport.ts';
import { steadyFrames } from './streams.ts';

const WEEK = 7 * 24;

/** The shipped model with the streams of its training. */
const model: Model = (() => {
  const start = Math.min(...weather.series.map(({ firstSlot }) => firstSlot));
  const split = { start, trainEnd, validationEnd: trainEnd, end: trainEnd };
  const common = fitFeatureScalers(weather, split);
  const scalers = weather.series.map(() => common);
  return {
    ...shipped,
    input: { ...shipped.input, ...fitStreams(weather, split, { scalers, channels: [] }) },
  };
})();

const messages = hoursOf(1, 6 * WEEK);
const score = (stream: string, units = {}, served = model) =>
  listen(served, messages, { ...{ airport: 1, stream, scoredFrom: WEEK }, ...units });

describe('an airport under a name that the training never saw', () => {
  const known = score('JFK');

  test('is known by its own name, with the bits of a model without scales', () => {
    expect(known).toEqual(score('JFK', {}, shipped));
  });

  test('costs at most 1 % after a week', () => {
    expect(score('new').mae / known.mae).toBeLessThan(1.01);
    expect(score('new').mae).not.toBe(known.mae);
  });

  const fifth = 5 / 9;
  test.each([
    ['degrees Celsius', { convert: (v: number, k: number) => (k < 2 ? (v - 32) * fifth : v), unit: 1.8 }],
    ['tenths', { convert: (v: number) => 10 * v, unit: 0.1 }],
  ])('costs at most 2 % after a week in %s, and much more without its scale', (_, units) => {
    const { mae, coverage } = score('new', units);
    expect(mae / known.mae).toBeLessThan(1.02);
    expect(Math.abs(coverage - known.coverage)).toBeLessThan(0.06);
    expect(score('JFK', units).mae / known.mae).toBeGreaterThan(1.1);
  });
});

test('a reset stream forgets its scale, one that starts cold after a gap keeps it', () => {
  const random = createModel({ streams: ['JFK'], targets: [0, 1] });
  const [frames, again] = [steadyFrames(1, random, 60), steadyFrames(2, random, 5)];
  const last = frames[59].timeMs;
  const answersOf = (prepare: (session: ReturnType<typeof createSession>) => void) => {
    const session = createSession(random, 'new');
    prepare(session);
    return again.map(({ timeMs, values }) => {
      const answer = session.step({ timeMs: timeMs + last, values });
      if (answer.kind !== 'forecast') throw new Error(answer.kind);
      return { values: [...answer.values], factors: [...answer.factors] };
    });
  };
  const fresh = answersOf(() => {});
  const live = (session: ReturnType<typeof createSession>) => {
    for (const frame of frames) session.step(frame);
  };
  expect(
    answersOf((session) => {
      live(session);
      session.reset();
    }),
  ).toEqual(fresh);
  const [first] = answersOf(live);
  expect(fresh[0].factors).toEqual([1, 1]);
  expect(first.factors[0]).not.toBe(1);
});
