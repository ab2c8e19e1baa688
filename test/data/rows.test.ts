import { expect, test } from 'vitest';
import { medianSpacing } from '../../src/data/rows.ts';
import { purpose, uniform } from '../../src/math/random.ts';

test.each([
  ['minutes with 0.9 s of jitter', 60_000, 900, 60_000],
  ['quarters of an hour with 8 s', 900_000, 8_000, 900_000],
  ['7 minutes', 420_000, 900, 420_000],
  ['90 seconds', 90_000, 700, 90_000],
  ['exact 61 seconds', 61_000, 0, 61_000],
  ['exact 40 ms', 40, 0, 40],
])('the median spacing is a round period where rows jitter: %s', (_, periodMs, jitterMs, expected) => {
  const timesMs = Array.from({ length: 200 }, (_, i) => {
    const jitter = 2 * uniform(3, purpose.weights, i, 0, 0) - 1;
    return Math.round(1.4e12 + i * periodMs + jitterMs * jitter);
  });
  const rows = timesMs.map((_, i) => i);
  expect(medianSpacing([{ name: 'a', rows, timesMs }])).toBe(expected);
});

test('there is no median spacing of rows that all have the same time', () => {
  expect(medianSpacing([{ name: 'a', rows: [0, 1], timesMs: [5, 5] }])).toBeUndefined();
});
