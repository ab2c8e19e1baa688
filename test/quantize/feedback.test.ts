import { describe, expect, test } from 'vitest';
import { joinPlanes } from '../../src/kernels/quantized.ts';
import type { FloatTensor } from '../../src/model/model.ts';
import { createFeedback } from '../../src/quantize/feedback.ts';
import { dequantizeMatrix, quantizeMatrix } from '../../src/quantize/matrices.ts';
import { createDice } from '../fixtures/random-model.ts';

const SIZE = 12;
const ROWS = 20;

function randomWeights(seed: number): FloatTensor {
  const dice = createDice(seed);
  const values = Float32Array.from({ length: ROWS * SIZE }, () => 2 * dice.next() - 1);
  return { kind: 'float32', shape: [ROWS, SIZE], values };
}

/** Inputs that move together, some of them more than others. */
function randomMoments(seed: number, vectors = 200): Float64Array {
  const dice = createDice(seed);
  const moments = new Float64Array(SIZE * SIZE);
  for (let n = 0; n < vectors; n++) {
    const common = dice.next() - 0.5;
    const x = Array.from({ length: SIZE }, (_, k) => (1 + (k % 3)) * (common + 0.3 * (dice.next() - 0.5)));
    for (let j = 0; j < SIZE; j++) for (let k = 0; k < SIZE; k++) moments[j * SIZE + k] += x[j] * x[k];
  }
  return moments;
}

/** e H e', summed over the rows. */
function costOf(weights: FloatTensor, moments: Float64Array, limit: number, byData: boolean): number {
  const feedback = byData ? createFeedback(moments, SIZE) : undefined;
  const restored = dequantizeMatrix(quantizeMatrix(weights, limit, feedback)).values;
  let cost = 0;
  for (let row = 0; row < ROWS; row++) {
    const e = Array.from(
      { length: SIZE },
      (_, k) => weights.values[row * SIZE + k] - restored[row * SIZE + k],
    );
    for (let j = 0; j < SIZE; j++) for (let k = 0; k < SIZE; k++) cost += e[j] * moments[j * SIZE + k] * e[k];
  }
  return cost;
}

function invert(matrix: readonly number[][]): number[][] {
  const n = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...row.map((_, k) => (i === k ? 1 : 0))]);
  for (let i = 0; i < n; i++) {
    const pivot = rows[i][i];
    rows[i] = rows[i].map((value) => value / pivot);
    for (let j = 0; j < n; j++) {
      const factor = rows[j][i];
      if (j !== i) rows[j] = rows[j].map((value, k) => value - factor * rows[i][k]);
    }
  }
  return rows.map((row) => row.slice(n));
}

/** Frantar's algorithm as published: the largest inputs first, the inverse of the damped moments updated as weights are
 * fixed, each error spread over the weights still free. */
function publishedRounding({ values }: FloatTensor, moments: Float64Array, limit: number): number[] {
  const mean = Array.from({ length: SIZE }, (_, k) => moments[k * SIZE + k]).reduce((a, b) => a + b) / SIZE;
  const order = Array.from({ length: SIZE }, (_, k) => k).sort(
    (a, b) => moments[b * SIZE + b] - moments[a * SIZE + a],
  );
  const H = order.map((j) => order.map((k) => moments[j * SIZE + k] + (j === k ? 0.01 * mean : 0)));
  const integers = new Array<number>(values.length);
  for (let row = 0; row < ROWS; row++) {
    const own = Array.from(values.subarray(row * SIZE, (row + 1) * SIZE));
    const scale = Math.max(...own.map(Math.abs)) / limit;
    const w = order.map((k) => own[k]);
    for (let turn = 0; turn < SIZE; turn++) {
      const [first] = invert(H.slice(turn).map((line) => line.slice(turn)));
      const q = Math.max(-limit, Math.min(limit, Math.round(w[turn] / scale)));
      integers[row * SIZE + order[turn]] = q + 0;
      const error = (w[turn] - q * scale) / first[0];
      first.forEach((value, j) => {
        w[turn + j] -= error * value;
      });
    }
  }
  return integers;
}

describe.each([127, 2047])('rounding by data to integers of %i', (limit) => {
  test('is that of the paper', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const [weights, moments] = [randomWeights(seed), randomMoments(seed + 10)];
      const quantized = quantizeMatrix(weights, limit, createFeedback(moments, SIZE));
      expect([...joinPlanes(quantized)]).toEqual(publishedRounding(weights, moments, limit));
    }
  });

  test('costs the sums of correlated inputs less than half of what the nearest integers cost', () => {
    const [weights, moments] = [randomWeights(3), randomMoments(4)];
    expect(costOf(weights, moments, limit, true)).toBeLessThan(0.5 * costOf(weights, moments, limit, false));
  });

  test('keeps scales and limits', () => {
    const weights = randomWeights(5);
    const quantized = quantizeMatrix(weights, limit, createFeedback(randomMoments(6, 3), SIZE));
    expect(quantized.rowScales).toEqual(quantizeMatrix(weights, limit).rowScales);
    expect(Math.max(...joinPlanes(quantized).map(Math.abs))).toBeLessThanOrEqual(limit);
  });

  test.each([
    ['without any input', () => 0],
    ['of inputs that do not move together', (k: number) => 1 + k],
  ])('is to the nearest %s', (_, powerOf) => {
    const moments = new Float64Array(SIZE * SIZE);
    for (let k = 0; k < SIZE; k++) moments[k * SIZE + k] = powerOf(k);
    const weights = randomWeights(7);
    expect(quantizeMatrix(weights, limit, createFeedback(moments, SIZE))).toEqual(
      quantizeMatrix(weights, limit),
    );
  });
});
