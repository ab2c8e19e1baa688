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

describe('the intervals of seasonal naive', () => {
  // a season of 4; slots 0..19 train, 20..27 validation, 28..35 test
  const split = { start: 100, trainEnd: 120, validationEnd: 128, end: 136 };
  const values = Array.from({ length: 36 }, (_, t) => (t % 4) * 10 + (t < 20 ? 0 : (t * 5) % 9));
  const dataset = makeDataset({ a: values });
  const options: BaselineOptions = {
    ...{ dataset, split, part: 'test', targets: [0], steps: 1, horizons: [1], season: 4 },
    ...{ scalers: fitScalers(dataset, split), ridge: [], levels: [0.1, 0.5, 0.9] },
  };

  test('are the quantiles of its residuals on validation around its forecasts', () => {
    const residuals = [20, 21, 22, 23, 24, 25, 26, 27].map((t) => values[t] - values[t - 4]);
    const sorted = residuals.sort((a, b) => a - b);
    const [low, high] = [sorted[1], sorted[6]];
    const errors = [28, 29, 30, 31, 32, 33, 34, 35].map((t) => values[t] - values[t - 4]);
    const seasonal = scoreBaselines(options).seasonal as Score;
    const inside = errors.filter((error) => low <= error && error <= high).length / 8;
    expect(seasonal.at[1].coverage80).toBe(inside);
    expect(inside).toBeLessThan(1);
    const outside = errors.map((error) => Math.max(0, low - error) + Math.max(0, error - high));
    const winkler = outside.reduce((sum, one) => sum + high - low + 10 * one, 0) / 8;
    expect(seasonal.at[1].winkler80).toBeCloseTo(winkler, 10);
  });

  test('are none without a pair on validation, or when nobody asks for levels', () => {
    const gaps = values.map((value, t) => (t >= 20 && t < 28 ? Number.NaN : value));
    const without = { ...options, dataset: makeDataset({ a: gaps }) };
    expect((scoreBaselines(without).seasonal as Score).at[1]).not.toHaveProperty('coverage80');
    const { levels: _, ...plain } = options;
    expect((scoreBaselines(plain).seasonal as Score).at[1]).not.toHaveProperty('coverage80');
  });
});
