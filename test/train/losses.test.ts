import { describe, expect, test } from 'vitest';
import { float32 } from '../../src/kernels/training.ts';
import { createLoss, type LossKind } from '../../src/train/losses.ts';

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
};

describe.each(Object.keys(cases) as LossKind[])('the %s loss', (kind) => {
  test.each(cases[kind])('of an error of %d', (error, value, slope) => {
    const loss = createLoss(kind, float32);
    // -0 is 0
    expect(loss.value(error) + 0).toBe(value);
    expect(loss.slope(error) + 0).toBe(slope);
  });
});
