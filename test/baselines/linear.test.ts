import { describe, expect, test } from 'vitest';
import { fitLinear, lambdas } from '../../src/baselines/linear.ts';
import {
  addMoments,
  addWindow,
  emptyMoments,
  mirrorMoments,
  slidingMoments,
} from '../../src/baselines/moments.ts';
import { factorCholesky, solveCholesky } from '../../src/math/cholesky.ts';

test('the Cholesky solver answers a system worked out by hand', () => {
  // [[4, 2], [2, 5]] times [[1, 3], [2, -1]]
  const factor = Float64Array.of(4, 2, 2, 5);
  const columns = Float64Array.of(8, 10, 12, 1);
  factorCholesky(factor, 2);
  expect([factor[0], factor[2], factor[3]]).toEqual([2, 1, 2]);
  solveCholesky(factor, 2, columns);
  expect([...columns]).toEqual([1, 3, 2, -1]);
});

describe('slidingMoments', () => {
  const z = Float64Array.from(
    { length: 60 },
    (_, t) => Math.sin(t * 1.7) + 0.05 * t + ((t * 7919) % 13) / 13,
  );
  const range = { start: 9, count: 40, window: 6, steps: 4 };

  test('equals adding up window by window', () => {
    const direct = emptyMoments(range.window - 1, range.steps);
    for (let t = range.start; t < range.start + range.count; t++) {
      const x = Float64Array.from({ length: range.window - 1 }, (_, i) => z[t - 1 - i] - z[t]);
      const y = Float64Array.from({ length: range.steps }, (_, i) => z[t + 1 + i] - z[t]);
      addWindow(direct, x, y);
    }
    mirrorMoments(direct);
    const sliding = slidingMoments(z, range);
    expect(sliding.count).toBe(direct.count);
    for (const part of ['x', 'y', 'xx', 'xy', 'yy'] as const) {
      direct[part].forEach((sum, i) => {
        expect(sliding[part][i]).toBeCloseTo(sum, 10);
      });
    }
  });

  test('of two pieces add up to those of the whole', () => {
    const total = slidingMoments(z, { ...range, count: 15 });
    addMoments(total, slidingMoments(z, { ...range, start: 24, count: 25 }));
    const whole = slidingMoments(z, range);
    expect(total.count).toBe(whole.count);
    whole.xx.forEach((sum, i) => {
      expect(total.xx[i]).toBeCloseTo(sum, 10);
    });
  });

  test('of no window are empty', () => {
    expect(slidingMoments(z, { ...range, count: 0 })).toEqual(emptyMoments(5, 4));
  });
});

describe('fitLinear', () => {
  /** y = [1 + 2 a - b, 5 a] and an error of `noise`, over a grid of a and b. */
  function momentsOf(noise: (i: number) => number, shift = 0) {
    const moments = emptyMoments(2, 2);
    for (let i = 0; i < 100; i++) {
      const [a, b] = [(i % 10) - 4.5 + shift, Math.floor(i / 10) - 4.5];
      addWindow(moments, Float64Array.of(a, b), Float64Array.of(1 + 2 * a - b + noise(i), 5 * a));
    }
    mirrorMoments(moments);
    return moments;
  }

  test('finds the weights and the bias of an exact relation, under the smallest penalty', () => {
    const map = fitLinear(
      momentsOf(() => 0),
      momentsOf(() => 0, 1),
      () => [],
    );
    expect([...map.lambdas]).toEqual([0.01, 0.01]);
    expect(map.weights[0]).toBeCloseTo(2, 4);
    expect(map.weights[1]).toBeCloseTo(5, 3);
    expect(map.weights[2]).toBeCloseTo(-1, 4);
    expect(map.weights[3]).toBeCloseTo(0, 4);
    expect(map.bias[0]).toBeCloseTo(1, 4);
    expect(map.squares[0]).toBeLessThan(1e-4);
  });

  test('chooses the penalty of each output for itself', () => {
    // what training says about output 0 is wrong in validation: the less of it, the better
    const train = momentsOf((i) => 3 * ((i % 10) - 4.5));
    const map = fitLinear(
      train,
      momentsOf((i) => -2.5 * ((i % 10) - 4.5)),
      () => [],
    );
    expect(map.lambdas[0]).toBe(lambdas[lambdas.length - 1]);
    expect(map.lambdas[1]).toBe(0.01);
  });

  test('leaves out the errors of answers that do not count', () => {
    const train = momentsOf(() => 0);
    const validation = momentsOf((i) => (i === 7 ? 100 : 0));
    const [a, b] = [2.5, -4.5];
    const outlier = {
      x: Float64Array.of(a, b),
      y: Float64Array.of(1 + 2 * a - b + 100, 5 * a),
      outputs: [0],
    };
    const counted = fitLinear(train, validation, () => []);
    const map = fitLinear(train, validation, () => [outlier]);
    expect(counted.squares[0]).toBeGreaterThan(9000);
    expect(map.squares[0]).toBeLessThan(1e-3);
    expect(map.squares[1]).toBe(counted.squares[1]);
  });
});
