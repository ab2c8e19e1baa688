import { describe, expect, test } from 'vitest';
import { float32 } from '../../src/kernels/training.ts';
import { createLoss, type LossKind } from '../../src/train/losses.ts';

const tenth = Math.fround(0.1);

// error, value, slope
const cases: Record<LossKind, [number, number, number][]> = {
  mse: [
    [0, 0, 0],
    [3, 9, 6],
    [-0.5, 0.25, -1],
  ],
  mae: [
    [0, 0, 0],
    [3, 3, 1],
    [-0.5, 0.5, -1],
  ],
  huber: [
    [0, 0, 0],
    [0.5, 0.125, 0.5],
    [1, 0.5, 1],
    [-1, 0.5, -1],
    [3, 2.5, 1],
    [-3, 2.5, -1],
  ],
  // at the level 0.1 a forecast above the truth costs nine times as much as one below
  pinball: [
    [0, 0, 0],
    [2, 2 * (1 - tenth), Math.fround(1 - tenth)],
    [-2, 2 * tenth, -tenth],
  ],
};

describe.each(Object.keys(cases) as LossKind[])('the %s loss', (kind) => {
  test.each(cases[kind])('of an error of %d', (error, value, slope) => {
    const loss = createLoss(kind, float32, 0.1);
    // -0 is 0
    expect(loss.value(error) + 0).toBe(value);
    expect(loss.slope(error) + 0).toBe(slope);
  });
});

test('the pinball loss is half the absolute error unless told a level', () => {
  const loss = createLoss('pinball', float32);
  expect([loss.value(3), loss.value(-3), loss.slope(3), loss.slope(-3)]).toEqual([1.5, 1.5, 0.5, -0.5]);
});

test('the pinball loss is least at its quantile', () => {
  const loss = createLoss('pinball', float32, 0.8);
  const truths = Array.from({ length: 100 }, (_, i) => i);
  const cost = (forecast: number) => truths.reduce((sum, truth) => sum + loss.value(forecast - truth), 0);
  const costs = truths.map(cost);
  expect(costs.indexOf(Math.min(...costs))).toBeGreaterThanOrEqual(79);
  expect(costs.indexOf(Math.min(...costs))).toBeLessThanOrEqual(80);
});
