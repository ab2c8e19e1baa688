import { describe, expect, test } from 'vitest';
import { purpose, shuffle, uniform } from '../../src/math/random.ts';

const count = 20_000;
const scale = 2 ** 24;

/** Numbers along one of the five counters, the others fixed. */
const counters: Readonly<Record<string, (i: number) => number>> = {
  seed: (i) => uniform(i, purpose.weights, 3, 5, 7),
  update: (i) => uniform(1, purpose.dropout, i, 5, 7),
  row: (i) => uniform(1, purpose.offsets, 3, i, 7),
  unit: (i) => uniform(1, purpose.weights, 0, 0, i),
};

function correlation(a: readonly number[], b: readonly number[]): number {
  const sum = a.reduce((total, value, i) => total + (value - 0.5) * (b[i] - 0.5), 0);
  return (12 * sum) / a.length;
}

describe('uniform', () => {
  test('pins its first numbers: a change would change every model', () => {
    const first = [0, 1, 2, 3].map((unit) => uniform(1, purpose.weights, 0, 0, unit) * scale);
    expect(first).toEqual([8130816, 3919687, 6851753, 7091034]);
    expect(uniform(7, purpose.dropout, 3, 2, 1) * scale).toBe(7173895);
    expect(uniform(2 ** 32 - 1, purpose.resets, 1e6, 4095, 1023) * scale).toBe(15169585);
  });

  test('gives multiples of 2^-24 in [0, 1)', () => {
    const values = Array.from({ length: count }, (_, i) => counters.unit(i));
    expect(values.filter((value) => !(value >= 0 && value < 1))).toEqual([]);
    expect(values.filter((value) => !Number.isInteger(value * scale))).toEqual([]);
  });

  test.each(Object.keys(counters))(
    'has the mean, the variance and the tenths of chance along %s',
    (counter) => {
      const values = Array.from({ length: count }, (_, i) => counters[counter](i));
      const mean = values.reduce((sum, value) => sum + value, 0) / count;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
      // five standard errors
      expect(Math.abs(mean - 0.5)).toBeLessThan(0.0103);
      expect(Math.abs(12 * variance - 1)).toBeLessThan(0.035);
      const tenths = new Array(10).fill(0);
      for (const value of values) tenths[Math.floor(10 * value)]++;
      for (const n of tenths) expect(Math.abs(n - count / 10)).toBeLessThan(5 * Math.sqrt(count * 0.09));
    },
  );

  test.each(Object.keys(counters))('does not relate one number to the next along %s', (counter) => {
    const values = Array.from({ length: count }, (_, i) => counters[counter](i));
    for (const lag of [1, 2, 3, 64]) {
      const later = values.map((_, i) => values[(i + lag) % count]);
      expect(Math.abs(correlation(values, later))).toBeLessThan(0.036);
    }
  });

  test('does not relate streams of numbers that differ in one counter', () => {
    const streams = [
      ...Object.values(purpose).map((use) => (i: number) => uniform(1, use, 0, 0, i)),
      (i: number) => uniform(2, purpose.weights, 0, 0, i),
      (i: number) => uniform(1, purpose.weights, 1, 0, i),
      (i: number) => uniform(1, purpose.weights, 0, 1, i),
    ].map((number) => Array.from({ length: count }, (_, i) => number(i)));
    for (let a = 0; a < streams.length; a++) {
      for (let b = 0; b < a; b++) expect(Math.abs(correlation(streams[a], streams[b]))).toBeLessThan(0.036);
    }
  });

  test('has no two equal rows in a grid of updates, rows and units', () => {
    const seen = new Set<number>();
    for (let update = 0; update < 8; update++) {
      for (let row = 0; row < 16; row++) {
        for (let unit = 0; unit < 16; unit++) seen.add(uniform(1, purpose.dropout, update, row, unit));
      }
    }
    // of 2048 numbers out of 2^24, chance lets about one pair meet in eight such grids
    expect(seen.size).toBeGreaterThan(2045);
  });
});

describe('shuffle', () => {
  const shuffled = (seed: number, round: number) => {
    const items = Int32Array.from({ length: 10 }, (_, i) => i);
    shuffle(items, seed, round);
    return [...items];
  };

  test('keeps every item, in an order that seed and round alone decide', () => {
    expect(shuffled(1, 0)).toEqual([0, 1, 6, 2, 9, 8, 7, 5, 3, 4]);
    expect(shuffled(1, 1)).not.toEqual(shuffled(1, 0));
    expect(shuffled(2, 0)).not.toEqual(shuffled(1, 0));
    expect(shuffled(3, 4).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('brings every item to every place about as often', () => {
    const rounds = 5000;
    const counts = new Int32Array(100);
    for (let round = 0; round < rounds; round++) {
      for (const [place, item] of shuffled(9, round).entries()) counts[10 * item + place]++;
    }
    for (const n of counts) expect(Math.abs(n - rounds / 10)).toBeLessThan(5 * Math.sqrt(rounds * 0.09));
  });
});
