import { describe, expect, test } from 'vitest';
import type { TrainingKernel } from '../../src/kernels/training.ts';
import { uniformOf } from '../../src/math/random.ts';
import { createRandom } from '../fixtures/series.ts';
import { place, placeIndices, read, trainingKernels } from './training-kernels.ts';

/** Numbers of many magnitudes, so that another order of a sum gives other bits. */
function numbers(length: number, seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length }, () => (2 * random() - 1) * 10 ** Math.floor(6 * random() - 3));
}

/** A sum in float32 of float32 products, one after the other, by the rounding of a typed array. */
function sumOfProducts(start: number, pairs: Iterable<readonly [number, number]>): number {
  const sum = Float32Array.of(start);
  const product = new Float32Array(1);
  for (const [a, b] of pairs) {
    product[0] = a * b;
    sum[0] = sum[0] + product[0];
  }
  return sum[0];
}

const indices = (length: number) => Array.from({ length }, (_, i) => i);

// whole blocks of four and sixteen, tails of every length, nothing but a tail, nothing at all
const shapes = [
  { rows: 1, n: 1, k: 1 },
  { rows: 3, n: 2, k: 5 },
  { rows: 2, n: 4, k: 3 },
  { rows: 5, n: 7, k: 6 },
  { rows: 4, n: 12, k: 3 },
  { rows: 9, n: 9, k: 13 },
  { rows: 1, n: 16, k: 16 },
  { rows: 7, n: 35, k: 22 },
  { rows: 18, n: 26, k: 33 },
  { rows: 2, n: 24, k: 47 },
  { rows: 37, n: 5, k: 24 },
  // so wide that a gradient gathers its d first
  { rows: 38, n: 6, k: 139 },
  { rows: 6, n: 0, k: 4 },
  { rows: 6, n: 3, k: 0 },
];

/** The rows in the order in which their gradients add. */
function timeDescending(steps: number, rows: number): number[] {
  return indices(steps)
    .reverse()
    .flatMap((t) => indices(rows).map((r) => t * rows + r));
}

function packed(kernel: TrainingKernel, w: Float32Array, n: number, k: number, back = false) {
  const weights = kernel.createPacked(n, k);
  if (back) kernel.packBack(weights, place(kernel, w));
  else kernel.pack(weights, place(kernel, w));
  return weights;
}

describe.each(trainingKernels)('the %s training kernel', (_, kernel) => {
  describe.each(shapes)('with $rows rows, n = $n, k = $k', ({ rows, n, k }) => {
    const x = numbers(rows * k, 1);
    const w = numbers(n * k, 2);
    const d = numbers(rows * n, 3);

    test('multiplies in the order of k', () => {
      const out = place(kernel, numbers(rows * n, 4));
      kernel.multiply(out, place(kernel, x), packed(kernel, w, n, k), rows);
      const expected = Float32Array.from(out, (_, at) => {
        const [r, j] = [Math.floor(at / n), at % n];
        return sumOfProducts(
          0,
          indices(k).map((i) => [x[r * k + i], w[j * k + i]] as const),
        );
      });
      expect(read(out)).toEqual(expected);
    });

    test.each([true, false])('multiplies back in the order of j, onto what is there: %s', (onto) => {
      const before = numbers(rows * k, 5);
      const expected = before.map((start, at) => {
        const [r, i] = [Math.floor(at / k), at % k];
        return sumOfProducts(
          onto ? start : 0,
          indices(n).map((j) => [d[r * n + j], w[j * k + i]] as const),
        );
      });
      const out = place(kernel, before);
      kernel.multiplyBack(out, place(kernel, d), packed(kernel, w, n, k, true), rows, onto);
      expect(read(out)).toEqual(expected);
    });

    // as one time step, as steps of one row, and as steps of some rows
    test.each([1, rows, 3].map((steps) => [steps, Math.floor(rows / steps)]))(
      'accumulates a gradient over %i steps of %i rows, later ones first',
      (steps, each) => {
        const before = numbers(n * k, 6);
        const expected = before.map((start, at) => {
          const [j, i] = [Math.floor(at / k), at % k];
          return sumOfProducts(
            start,
            timeDescending(steps, each).map((r) => [d[r * n + j], x[r * k + i]] as const),
          );
        });
        const gradient = place(kernel, before);
        kernel.accumulate(gradient, place(kernel, d), place(kernel, x), { steps, rows: each }, n, k);
        expect(read(gradient)).toEqual(expected);
      },
    );

    test('adds the bias of every row last, and accumulates its gradient in the order of the rows', () => {
      const bias = numbers(3 * n, 7);
      const channels = indices(rows).map((r) => (r * 2) % 3);
      const biasRows = placeIndices(kernel, channels);
      const out = place(kernel, d);
      kernel.affine(out, place(kernel, x), packed(kernel, w, n, k), place(kernel, bias), biasRows);
      const sums = d.map((_, at) => {
        const [r, j] = [Math.floor(at / n), at % n];
        const product = sumOfProducts(
          0,
          indices(k).map((i) => [x[r * k + i], w[j * k + i]] as const),
        );
        return product + bias[channels[r] * n + j];
      });
      expect(read(out)).toEqual(sums);

      const before = numbers(3 * n, 8);
      const expected = before.map((start, at) => {
        const [channel, j] = [Math.floor(at / n), at % n];
        const own = timeDescending(rows, 1).filter((r) => channels[r] === channel);
        return sumOfProducts(
          start,
          own.map((r) => [d[r * n + j], 1] as const),
        );
      });
      const gradient = place(kernel, before);
      kernel.accumulateBias(gradient, place(kernel, d), biasRows, { steps: rows, rows: 1 }, n);
      expect(read(gradient)).toEqual(expected);
    });

    test('adds element by element, as far as it is told', () => {
      const before = numbers(rows * n, 9);
      const length = Math.floor((rows * n) / 2);
      const expected = before.map((value, at) => (at < length ? value + d[at] : value));
      const out = place(kernel, before);
      kernel.add(out, place(kernel, d), length);
      expect(read(out)).toEqual(expected);
    });
  });

  test('accumulates a bias from some columns of a wider matrix', () => {
    const d = numbers(3 * 7, 1);
    const before = numbers(2, 2);
    const expected = before.map((start, j) =>
      sumOfProducts(
        start,
        [2, 0, 1].map((r) => [d[r * 7 + 4 + j], 1] as const),
      ),
    );
    const gradient = place(kernel, before);
    const columns = { from: 4, stride: 7 };
    // rows 2, then 0 and 1
    const [late, early] = [place(kernel, d.subarray(14)), place(kernel, d.subarray(0, 14))];
    kernel.accumulateBias(gradient, late, placeIndices(kernel, [0]), { steps: 1, rows: 1 }, 2, columns);
    kernel.accumulateBias(gradient, early, placeIndices(kernel, [0, 0]), { steps: 1, rows: 2 }, 2, columns);
    expect(read(gradient)).toEqual(expected);
  });

  test('works on parts of larger arrays and leaves the rest alone', () => {
    const all = place(kernel, numbers(20, 1));
    const before = read(all);
    const x = place(kernel, numbers(8, 2)).subarray(2);
    kernel.multiply(all.subarray(5, 11), x, packed(kernel, numbers(9, 3), 3, 3), 2);
    expect(read(all.subarray(0, 5))).toEqual(before.subarray(0, 5));
    expect(read(all.subarray(11))).toEqual(before.subarray(11));
    expect(read(all.subarray(5, 11))).not.toEqual(before.subarray(5, 11));
  });

  test.each([0.1, 0.3, 0.5, 1 / 3])(
    'drops a unit where its random number lies below the rate: %d',
    (rate) => {
      const [steps, rows, hidden] = [3, 2, 37];
      const x = numbers(steps * rows * hidden, 1);
      const [out, factors] = [place(kernel, x), place(kernel, x)];
      const counters = Int32Array.of(-7, 12345);
      const settings = { steps, rows, hidden, rate, counters, firstUnit: 37, unitsPerStep: 74 };
      kernel.drop(out, factors, place(kernel, x), settings);
      const kept = Math.fround(1 / Math.fround(1 - rate));
      const expected = x.map((_, at) => {
        const [t, row, j] = [Math.floor(at / (2 * hidden)), Math.floor(at / hidden) % 2, at % hidden];
        return uniformOf(counters[row], 37 + 74 * t + j) >= rate ? kept : 0;
      });
      expect(read(factors)).toEqual(expected);
      expect(read(out)).toEqual(x.map((value, at) => value * expected[at]));
      kernel.scale(out, factors, out.length);
      expect(read(out)).toEqual(x.map((value, at) => Math.fround(value * expected[at]) * expected[at]));
    },
  );

  test('carries infinities, zeros of both signs and the smallest numbers as float32 does', () => {
    const extremes = [Infinity, -Infinity, 0, -0, 1e-45, -1e-45, 3e38, -3e38, 1e-30, 1];
    const [n, k] = [10, 2];
    const x = read(extremes.flatMap((value) => [value, 1e-20]));
    const w = read(extremes.flatMap((value) => [value, -1e-20]));
    const out = place(kernel, new Float32Array(10 * n));
    kernel.multiply(out, place(kernel, x), packed(kernel, w, n, k), 10);
    out.forEach((value, at) => {
      const [r, j] = [Math.floor(at / n), at % n];
      expect(value).toBe(
        sumOfProducts(
          0,
          indices(k).map((i) => [x[r * k + i], w[j * k + i]] as const),
        ),
      );
    });
  });
});
