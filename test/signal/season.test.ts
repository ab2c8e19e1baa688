import { describe, expect, test } from 'vitest';
import type { Dataset } from '../../src/data/dataset.ts';
import { loadDataset } from '../../src/data/load.ts';
import { splitByTime } from '../../src/data/split.ts';
import { findSeason } from '../../src/signal/season.ts';

const features = ['temp', 'dewp', 'humid', 'wind_speed', 'pressure', 'visib', 'precip'];

/** Reproducible noise in [-0.5, 0.5). */
function noise(length: number, seed: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

function walk(steps: Float64Array): Float64Array {
  let position = 0;
  return steps.map((step) => {
    position += step;
    return position;
  });
}

function trainingValues({ series, features: { length } }: Dataset, feature: number, rows: number) {
  return series.map(({ values }) =>
    Float64Array.from({ length: rows }, (_, t) => values[t * length + feature]),
  );
}

describe('the weather', () => {
  const weather = loadDataset('models/nyc-weather/weather.csv', {
    time: 'time_hour',
    stream: 'origin',
    features,
  });
  const { start, trainEnd } = splitByTime(weather, [0.6, 0.2, 0.2]);
  const valuesOf = (feature: string) => trainingValues(weather, features.indexOf(feature), trainEnd - start);

  test.each(['temp', 'humid', 'pressure'])('has a day in %s, gaps and all', (feature) => {
    expect(findSeason(valuesOf(feature), 400)).toBe(24);
    expect(findSeason(valuesOf(feature), 30)).toBe(24);
  });

  test('has it in the temperature of one station', () => {
    for (const values of valuesOf('temp')) expect(findSeason([values], 400)).toBe(24);
  });

  test('has a day in the wind, which shows in means over hours', () => {
    expect(findSeason(valuesOf('wind_speed'), 400)).toBe(24);
  });

  test.each(['dewp', 'visib', 'precip'])('has no season in %s', (feature) => {
    expect(findSeason(valuesOf(feature), 400)).toBe(1);
  });
});

describe('findSeason', () => {
  test('finds no season in white noise or a random walk', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const white = noise(300 * seed, seed);
      expect([findSeason([white], 100), findSeason([walk(white)], 100)]).toEqual([1, 1]);
    }
  });

  test('finds a pattern that repeats under a walk and noise', () => {
    const values = walk(noise(2000, 3)).map((value, t) => 0.3 * value + (t % 7 === 3 ? 2 : 0));
    expect(findSeason([values], 100)).toBe(7);
  });

  test('joins series of different scales and lengths', () => {
    const small = noise(400, 5).map((value, t) => 0.001 * (value + (t % 12 < 4 ? 1 : 0)));
    const large = noise(900, 6).map((value, t) => 1000 * (value + (t % 12 < 4 ? 1 : 0)));
    expect(findSeason([small, large], 50)).toBe(12);
  });

  const minutes = (noiseScale: number) =>
    noise(20_000, 7).map((value, t) => Math.sin((2 * Math.PI * t) / 1440) + noiseScale * value);

  test('finds a day of minutes under noise that hides it from minute to minute', () => {
    const found = findSeason([minutes(0.4)], 1440);
    expect(Math.abs(found - 1440)).toBeLessThanOrEqual(8);
    expect(findSeason([minutes(0.4)], 1440, [1440])).toBe(1440);
  });

  test('takes a slow wave that it has no room to see three times for no season', () => {
    for (const period of [900, 3000, 10_000]) {
      const wave = noise(10_000, 8).map((value, t) => 5 * Math.sin((2 * Math.PI * t) / period) + value);
      expect(findSeason([wave], 336)).toBe(1);
    }
  });

  test('finds the season of a meter, which only rises', () => {
    let total = 0;
    const meter = noise(5000, 9).map((value, t) => {
      total += 0.2 + (t % 96 > 68 && t % 96 < 88 ? 0.4 : 0) + 0.1 * value;
      return total;
    });
    expect(findSeason([meter], 336)).toBe(96);
  });

  test('wants to see three repetitions', () => {
    const twice = Float64Array.from({ length: 48 }, (_, t) => Math.abs((t % 24) - 12));
    expect(findSeason([twice], 24)).toBe(1);
  });

  test('is 1 for what has no differences', () => {
    const constant = new Float64Array(500).fill(3);
    const gaps = new Float64Array(500).fill(Number.NaN);
    expect([
      findSeason([constant], 50),
      findSeason([gaps], 50),
      findSeason([[1]], 50),
      findSeason([], 50),
    ]).toEqual([1, 1, 1, 1]);
  });
});
