import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinPlanes } from '../../src/kernels/quantized.ts';
import type { FloatTensor } from '../../src/model/model.ts';
import { INPUT_WEIGHT_LIMIT, quantizeMatrix } from '../../src/quantize/matrices.ts';
import { dequantize } from './dequantize.ts';

const PLANE_LIMIT = 127;
const WIDE_LIMIT = 2047;

const limits = [PLANE_LIMIT, WIDE_LIMIT, INPUT_WEIGHT_LIMIT];

function matrix(rows: number, ...numbers: number[]): FloatTensor {
  return { kind: 'float32', shape: [rows, numbers.length / rows], values: Float32Array.from(numbers) };
}

test('a row has the scale of its own largest magnitude', () => {
  const { plane, lowPlane, rowScales } = quantizeMatrix(
    matrix(2, 127, -1, 0.5, 0.25, -0.5, 0.125),
    PLANE_LIMIT,
  );
  expect([...plane]).toEqual([127, -1, 0, 64, -127, 32]);
  expect([...rowScales]).toEqual([1, Math.fround(0.5 / 127)]);
  expect(lowPlane).toBeUndefined();
});

test('ties go to the even integer', () => {
  const { plane } = quantizeMatrix(matrix(1, 127, 0.5, 1.5, 2.5, -0.5, -1.5), PLANE_LIMIT);
  expect([...plane]).toEqual([127, 0, 2, 2, 0, -2]);
});

test('integers beyond one plane are split as P1 = floor((w + 16) / 32), P2 = w - 32 P1', () => {
  const integers = [4079, 15, 16, 17, -16, -17, -4079];
  const { plane, lowPlane } = quantizeMatrix(matrix(1, ...integers), INPUT_WEIGHT_LIMIT);
  expect([...plane]).toEqual([127, 0, 1, 1, 0, -1, -127]);
  expect([...(lowPlane ?? [])]).toEqual([15, 15, -16, -15, -16, 15, -15]);
});

test('a row of zeros, or almost, is zero under scale 1', () => {
  for (const limit of limits) {
    const quantized = quantizeMatrix(matrix(3, 0, -0, 1e-31, -1e-45, 1, 0.5), limit);
    expect([...joinPlanes(quantized)].slice(0, 4).map(Math.abs)).toEqual([0, 0, 0, 0]);
    expect([...quantized.rowScales.subarray(0, 2)]).toEqual([1, 1]);
    expect([...dequantize(quantized).subarray(0, 4)].map(Math.abs)).toEqual([0, 0, 0, 0]);
  }
});

describe.each(limits)('with a limit of %i', (limit) => {
  const weight = fc.float({ min: Math.fround(-4), max: Math.fround(4), noNaN: true });
  const magnitude = fc.constantFrom(1e-9, 1e-3, 1, 1e5);
  const matrices = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 12 }), magnitude)
    .chain(([rows, columns, size]) =>
      fc
        .array(weight, { minLength: rows * columns, maxLength: rows * columns })
        .map((weights) => matrix(rows, ...weights.map((w) => w * size))),
    );

  test('every weight is within half a scale of itself', () => {
    fc.assert(
      fc.property(matrices, (tensor) => {
        const quantized = quantizeMatrix(tensor, limit);
        const restored = dequantize(quantized);
        return tensor.values.every((w, i) => {
          const scale = quantized.rowScales[Math.floor(i / tensor.shape[1])];
          // two float32 roundings on the way there, one on the way back
          return Math.abs(restored[i] - w) <= 0.5 * scale + 3 * 2 ** -24 * Math.abs(w);
        });
      }),
      { seed: limit, numRuns: 300 },
    );
  });

  test('integers stay inside the limit, planes inside -127..127, and the largest reaches it', () => {
    fc.assert(
      fc.property(matrices, (tensor) => {
        const quantized = quantizeMatrix(tensor, limit);
        const integers = joinPlanes(quantized);
        const planes = [...quantized.plane, ...(quantized.lowPlane ?? [])];
        const isZero = tensor.values.every((w) => Math.abs(w) <= 1e-30);
        const largest = Math.max(...integers.map(Math.abs));
        return planes.every((p) => Math.abs(p) <= 127) && largest === (isZero ? 0 : limit);
      }),
      { seed: limit, numRuns: 300 },
    );
  });
});

test('dequantize is integer times scale', () => {
  const quantized = quantizeMatrix(matrix(2, 1, -0.3, 0.7, 5, 2, -1), INPUT_WEIGHT_LIMIT);
  const integers = joinPlanes(quantized);
  const expected = Float32Array.from(integers, (w, i) => w * quantized.rowScales[Math.floor(i / 3)]);
  expect(dequantize(quantized)).toEqual(expected);
});
