import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createQuantizedVector,
  joinPlanes,
  multiplyIntegers,
  quantizeVector,
} from '../../src/kernels/quantized.ts';
import { roundHalfEven } from '../../src/math/rounding.ts';

const f = Math.fround;
const INT32_MAX = 2 ** 31 - 1;

function quantize(x: readonly number[], limit: number) {
  const vector = createQuantizedVector(x.length);
  // a neighbor on each side that must not be seen
  quantizeVector(Float32Array.of(1e9, ...x, 1e9), 1, limit, vector);
  return { integers: [...vector.integers], scale: vector.scale[0] };
}

describe('joinPlanes', () => {
  test('gives back every integer that the split of DESIGN makes two planes of', () => {
    const integers = Int16Array.from({ length: 2 * 4079 + 1 }, (_, i) => i - 4079);
    const plane = Int8Array.from(integers, (w) => Math.floor((w + 16) / 32));
    const lowPlane = Int8Array.from(integers, (w, i) => w - 32 * plane[i]);
    const shape = [1, integers.length];
    expect(joinPlanes({ kind: 'int8', shape, plane, lowPlane, rowScales: Float32Array.of(1) })).toEqual(
      integers,
    );
  });

  test('takes one plane as it is', () => {
    const plane = Int8Array.of(-127, -1, 0, 1, 127);
    const joined = joinPlanes({ kind: 'int8', shape: [1, 5], plane, rowScales: Float32Array.of(1) });
    expect(joined).toEqual(Int16Array.of(-127, -1, 0, 1, 127));
  });
});

describe('quantizeVector', () => {
  test('gives the largest magnitude the limit, on either side of zero', () => {
    expect(quantize([0.5, -1, 0.25], 127)).toEqual({ integers: [64, -127, 32], scale: f(1 / 127) });
    expect(quantize([3, 1, -2], 4095)).toEqual({ integers: [4095, 1365, -2730], scale: f(3 / 4095) });
  });

  test('rounds ties to even', () => {
    // limit / m = 1, so that the integers are the values themselves
    const x = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5, 127];
    expect(quantize(x, 127).integers).toEqual([0, 2, 2, 0, -2, -2, 126, 127]);
  });

  test('multiplies by the float32 inverse of the scale, as DESIGN says', () => {
    const x = Array.from({ length: 500 }, (_, k) => f(Math.sin(k) * 0.7));
    const m = Math.max(...x.map(Math.abs));
    const inverse = f(127 / m);
    expect(quantize(x, 127).integers).toEqual(x.map((value) => roundHalfEven(f(value * inverse))));
    expect(quantize(x, 127).scale).toBe(f(m / 127));
  });

  test('makes zeros of what is almost zero, with scale 0', () => {
    for (const x of [
      [0, 0, 0],
      [-0, 0, f(1e-30)],
      [1e-31, -1e-40, 0],
    ]) {
      expect(quantize(x, 127)).toEqual({ integers: [0, 0, 0], scale: 0 });
    }
    expect(quantize([2e-30, 1e-30, 0], 127).integers).toEqual([127, 64, 0]);
  });

  test('leaves nothing of an earlier vector behind', () => {
    const vector = createQuantizedVector(2);
    quantizeVector(Float32Array.of(1, 2), 0, 127, vector);
    quantizeVector(Float32Array.of(0, 0), 0, 127, vector);
    expect([...vector.integers, ...vector.scale]).toEqual([0, 0, 0]);
  });

  test('never goes beyond the limit, whatever the size of the numbers', () => {
    const magnitude = fc.float({ min: f(1.1e-30), max: f(1e30), noNaN: true });
    fc.assert(
      fc.property(
        fc.array(magnitude, { minLength: 1, maxLength: 20 }),
        fc.constantFrom(127, 2047, 4095),
        (x, limit) => {
          const { integers, scale } = quantize(x, limit);
          return Math.max(...integers.map(Math.abs)) === limit && scale > 0;
        },
      ),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe('multiplyIntegers', () => {
  /** Five rows, so that one comes after the four side by side. */
  function multiply(rows: readonly ArrayLike<number>[], x: Int16Array): number[] {
    const out = new Int32Array(rows.length).fill(-1);
    multiplyIntegers(Int16Array.from(rows.flatMap((row) => Array.from(row))), x, out);
    return [...out];
  }

  test('is exact at both ends of int32', () => {
    // 128 * 4079 * 4095 + 4079 * 2313 + 280 = 2^31 - 1
    const w = new Int16Array(130).fill(4079);
    const x = new Int16Array(130).fill(4095);
    x[128] = 2313;
    w[129] = 1;
    x[129] = 280;
    const rows = [1, -1, 1, -1, 1].map((sign) => w.map((value) => sign * value));
    expect(multiply(rows, x)).toEqual([1, -1, 1, -1, 1].map((sign) => sign * INT32_MAX));
  });

  test.each([
    ['W', 4079, 4095, 128],
    ['U', 127, 127, 1024],
    ['wide U', 2047, 2047, 512],
  ])('holds the largest sum of %s without overflow', (_, weight, limit, length) => {
    const x = new Int16Array(length).fill(limit);
    const rows = Array.from({ length: 5 }, () => new Int16Array(length).fill(-weight));
    expect(multiply(rows, x)).toEqual(rows.map(() => -weight * limit * length));
  });

  test('equals the sums in big integers, of any number of rows', () => {
    const integer = fc.integer({ min: -4079, max: 4079 });
    const matrix = fc.integer({ min: 0, max: 40 }).chain((columns) => {
      const row = fc.array(integer, { minLength: columns, maxLength: columns });
      return fc.tuple(row, fc.array(row, { maxLength: 9 }));
    });
    fc.assert(
      fc.property(matrix, ([x, rows]) => {
        const sums = rows.map((row) => row.reduce((sum, w, k) => sum + BigInt(w) * BigInt(x[k]), 0n));
        const found = multiply(rows, Int16Array.from(x)).map(BigInt);
        return found.every((sum, row) => sum === sums[row]);
      }),
      { seed: 2, numRuns: 500 },
    );
  });
});

test('the integers of a matrix are joined once, and shared', () => {
  const matrix = {
    kind: 'int8',
    shape: [1, 2],
    plane: Int8Array.of(1, -2),
    rowScales: Float32Array.of(1),
  } as const;
  expect(joinPlanes(matrix)).toBe(joinPlanes(matrix));
});
