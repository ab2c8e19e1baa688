import { describe, expect, test } from 'vitest';
import { float32, type TrainingKernel } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import { createRandom } from '../fixtures/series.ts';

const kernels: [string, TrainingKernel][] = [['scalar', createScalarTrainingKernel(float32)]];

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

// whole blocks of four, tails of one to three, nothing but a tail, nothing at all
const shapes = [
  { rows: 1, n: 1, k: 1 },
  { rows: 3, n: 2, k: 5 },
  { rows: 2, n: 4, k: 3 },
  { rows: 5, n: 7, k: 6 },
  { rows: 4, n: 12, k: 3 },
  { rows: 9, n: 9, k: 13 },
  { rows: 6, n: 0, k: 4 },
  { rows: 6, n: 3, k: 0 },
];

describe.each(kernels)('the %s training kernel', (_, kernel) => {
  describe.each(shapes)('with $rows rows, n = $n, k = $k', ({ rows, n, k }) => {
    const x = numbers(rows * k, 1);
    const w = numbers(n * k, 2);
    const d = numbers(rows * n, 3);

    test('multiplies in the order of k', () => {
      const out = numbers(rows * n, 4);
      kernel.multiply(out, x, w, rows, n, k);
      const expected = Float32Array.from(out, (_, at) => {
        const [r, j] = [Math.floor(at / n), at % n];
        return sumOfProducts(
          0,
          indices(k).map((i) => [x[r * k + i], w[j * k + i]] as const),
        );
      });
      expect(out).toEqual(expected);
    });

    test('multiplies back onto what is there in the order of j', () => {
      const out = numbers(rows * k, 5);
      const expected = out.map((start, at) => {
        const [r, i] = [Math.floor(at / k), at % k];
        return sumOfProducts(
          start,
          indices(n).map((j) => [d[r * n + j], w[j * k + i]] as const),
        );
      });
      kernel.multiplyBack(out, d, w, rows, n, k);
      expect(out).toEqual(expected);
    });

    // all rows, as the trainer gives them, and some of them in any order
    test.each([
      { order: indices(rows).reverse() },
      { order: indices(rows) },
      { order: [rows - 1, 0] },
      { order: [] },
    ])('accumulates a gradient in the order of the rows: $order', ({ order: rowOrder }) => {
      const order = Int32Array.from(rowOrder);
      const gradient = numbers(n * k, 6);
      const expected = gradient.map((start, at) => {
        const [j, i] = [Math.floor(at / k), at % k];
        return sumOfProducts(
          start,
          Array.from(order, (r) => [d[r * n + j], x[r * k + i]] as const),
        );
      });
      kernel.accumulate(gradient, d, x, order, n, k);
      expect(gradient).toEqual(expected);
    });

    test('adds the bias of every row, and accumulates its gradient in the order of the rows', () => {
      const bias = numbers(3 * n, 7);
      const biasRows = Int32Array.from({ length: rows }, (_, r) => (r * 2) % 3);
      const out = d.slice();
      kernel.addBias(out, bias, biasRows, rows, n);
      expect(out).toEqual(d.map((value, at) => value + bias[biasRows[Math.floor(at / n)] * n + (at % n)]));

      const gradient = numbers(3 * n, 8);
      const order = Int32Array.from(indices(rows).reverse());
      const expected = gradient.map((start, at) => {
        const [channel, j] = [Math.floor(at / n), at % n];
        const own = Array.from(order).filter((r) => biasRows[r] === channel);
        return sumOfProducts(
          start,
          own.map((r) => [d[r * n + j], 1] as const),
        );
      });
      kernel.accumulateBias(gradient, d, biasRows, order, n);
      expect(gradient).toEqual(expected);
    });

    test('adds element by element, as far as it is told', () => {
      const out = numbers(rows * n, 9);
      const length = Math.floor((rows * n) / 2);
      const expected = out.map((value, at) => (at < length ? value + d[at] : value));
      kernel.add(out, d, length);
      expect(out).toEqual(expected);
    });
  });

  test('accumulates a bias from some columns of a wider matrix', () => {
    const d = numbers(3 * 7, 1);
    const gradient = numbers(2, 2);
    const expected = gradient.map((start, j) =>
      sumOfProducts(
        start,
        [2, 0, 1].map((r) => [d[r * 7 + 4 + j], 1] as const),
      ),
    );
    kernel.accumulateBias(gradient, d, new Int32Array(3), Int32Array.of(2, 0, 1), 2, { from: 4, stride: 7 });
    expect(gradient).toEqual(expected);
  });

  test('works on parts of larger arrays and leaves the rest alone', () => {
    const all = numbers(20, 1);
    const before = all.slice();
    kernel.multiply(all.subarray(5, 11), numbers(8, 2).subarray(2), numbers(9, 3), 2, 3, 3);
    expect(all.subarray(0, 5)).toEqual(before.subarray(0, 5));
    expect(all.subarray(11)).toEqual(before.subarray(11));
    expect(all.subarray(5, 11)).not.toEqual(before.subarray(5, 11));
  });
});
