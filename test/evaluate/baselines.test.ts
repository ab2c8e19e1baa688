import { describe, expect, test } from 'vitest';
import { compare, holdDataset, jfkFacts, loadJfk } from '../../bench/baselines.ts';
import { fitScalers } from '../../src/data/scalers.ts';
import { splitByTime } from '../../src/data/split.ts';
import { type BaselineOptions, scoreBaselines } from '../../src/evaluate/baselines.ts';
import type { Score } from '../../src/evaluate/score.ts';
import { makeDataset } from '../data/make-dataset.ts';

describe('the baselines of the JFK weather', () => {
  const jfk = loadJfk('models/nyc-weather/weather.csv');
  const split = splitByTime(jfk, [0.6, 0.2, 0.2]);
  const task = { split, targets: [0], steps: 24, horizons: [1, 6, 24], season: 24, part: 'test' as const };
  const scalers = fitScalers(jfk, split);
  const scores = scoreBaselines({ ...task, dataset: jfk, scalers });
  const filled = scoreBaselines({ ...task, dataset: holdDataset(jfk, split), scalers });

  test.each(compare('JFK', filled, jfkFacts))(
    'with held targets counted, $name is $fact within 1 %',
    (row) => {
      expect(Math.abs(row.deviationPercent)).toBeLessThan(1);
    },
  );

  test('count the same origins, each with its gaps passed over', () => {
    const expected = { 1: 1732, 6: 1727, 24: 1709 };
    const { persistence, seasonal, ridge, ridgeVariants } = scores;
    for (const score of [persistence, seasonal, ridge, ...Object.values(ridgeVariants)]) {
      expect(score.n).toEqual(expected);
    }
  });

  test('persistence errs by the published 1.14 and 5.39 degrees, and at a season ahead by 6.45 like seasonal naive', () => {
    const { persistence } = scores;
    const seasonal = scores.seasonal as Score;
    expect(persistence.horizons[1].mae).toBeCloseTo(1.14, 1);
    expect(persistence.horizons[24].mae).toBeCloseTo(5.39, 1);
    expect(persistence.at[24].mae).toBeCloseTo(6.45, 2);
    expect(seasonal.at[24]).toEqual(persistence.at[24]);
  });

  test('ridge takes each horizon from one of its variants, and beats persistence', () => {
    const { persistence, ridgeVariants } = scores;
    const ridge = scores.ridge as Score;
    for (const h of [1, 6, 24]) {
      const candidates = Object.values(ridgeVariants).map((score) => score.horizons[h]);
      expect(candidates).toContainEqual(ridge.horizons[h]);
      expect(ridge.horizons[h].mse).toBeLessThan(0.85 * persistence.horizons[h].mse);
      expect(ridge.streams.JFK.at[h]).toEqual(ridge.at[h]);
    }
  });
});

test('a baseline that is not defined is {}', () => {
  const dataset = makeDataset({ a: Array.from({ length: 50 }, (_, t) => (t * 7) % 11) });
  const split = splitByTime(dataset, [0.6, 0.2, 0.2]);
  const options: BaselineOptions = {
    ...{ dataset, split, part: 'test', targets: [0], steps: 2, horizons: [1, 2], season: 1 },
    scalers: fitScalers(dataset, split),
  };
  const { persistence, seasonal, ridge, ridgeVariants } = scoreBaselines(options);
  expect(persistence.n).toEqual({ 1: 10, 2: 9 });
  expect([seasonal, ridge, ridgeVariants]).toEqual([{}, {}, {}]);
});

test('no baseline scores NaN beside a reading that no scaler can hold', () => {
  const values = Array.from({ length: 1500 }, (_, t) => 3 + 0.004 * Math.sin(t / 4) + 0.001 * ((t * 7) % 11));
  for (const row of [1000, 1300, 1499]) values[row] = -9999;
  const dataset = makeDataset({ a: values.flatMap((x, t) => [x, t % 5]) }, ['x', 'y']);
  const split = splitByTime(dataset, [0.6, 0.2, 0.2]);
  const scalers = fitScalers(dataset, split);
  for (const part of ['validation', 'test'] as const) {
    const options = { dataset, split, part, targets: [0], steps: 3, horizons: [1, 3], season: 25, scalers };
    const { persistence, seasonal, ridge, ridgeVariants } = scoreBaselines(options);
    expect(Object.keys(ridgeVariants)).toEqual(['own96', 'own336', 'own336each', 'all12']);
    for (const score of [persistence, seasonal, ridge, ...Object.values(ridgeVariants)] as Score[]) {
      const figures = [score, score.streams.a].flatMap(({ horizons, at }) =>
        [horizons, at].flatMap((maps) => Object.values(maps).flatMap((metrics) => Object.values(metrics))),
      );
      expect(figures).toHaveLength(32);
      expect(figures.every(Number.isFinite)).toBe(true);
    }
  }
});
