import { ROUNDING } from '../math/rounding.ts';
import type { QuantizedTensor } from '../model/model.ts';

const joined = new WeakMap<QuantizedTensor, Int16Array>();

/** The integers of a matrix, its planes joined: 32 * plane + lowPlane. Made once a matrix: a thousand sessions of a
 * model share them. */
export function joinPlanes(matrix: QuantizedTensor): Int16Array {
  const known = joined.get(matrix);
  if (known !== undefined) return known;
  const { plane, lowPlane } = matrix;
  const integers = Int16Array.from(plane);
  if (lowPlane !== undefined)
    for (let i = 0; i < integers.length; i++) integers[i] = 32 * plane[i] + lowPlane[i];
  joined.set(matrix, integers);
  return integers;
}

/** A vector as integers: x = integers * scale. */
export interface QuantizedVector {
  readonly integers: Int16Array;
  /** [1]: in an array, because a number handed back may be boxed on the heap. */
  readonly scale: Float32Array;
}

export function createQuantizedVector(length: number): QuantizedVector {
  return { integers: new Int16Array(length), scale: new Float32Array(1) };
}

/** As float32, so that kernels which compare in float32 draw the same line. */
const ALMOST_ZERO = Math.fround(1e-30);

/** Quantizes x[at..] by its own largest magnitude m: q = rhe(x * limit/m), scale m/limit; 0 for (almost) zeros. */
export function quantizeVector(
  x: Float32Array,
  at: number,
  limit: number,
  { integers, scale }: QuantizedVector,
): void {
  const length = integers.length;
  let m = 0;
  for (let k = 0; k < length; k++) {
    const magnitude = Math.abs(x[at + k]);
    if (magnitude > m) m = magnitude;
  }
  if (m <= ALMOST_ZERO) {
    integers.fill(0);
    scale[0] = 0;
    return;
  }
  const inverse = Math.fround(limit / m);
  // roundHalfEven, written out: see `scale`
  for (let k = 0; k < length; k++) {
    integers[k] = Math.fround(Math.fround(x[at + k] * inverse) + ROUNDING) - ROUNDING;
  }
  scale[0] = m / limit;
}

/** out = M x, exact integer sums: the model's limits keep them inside int32. Four rows side by side, as in
 * `multiplyRows`. */
export function multiplyIntegers(matrix: Int16Array, x: Int16Array, out: Int32Array): void {
  const rows = out.length;
  const columns = x.length;
  let row = 0;
  for (; row + 3 < rows; row += 4) {
    const w0 = row * columns;
    const w1 = w0 + columns;
    const w2 = w1 + columns;
    const w3 = w2 + columns;
    let sum0 = 0;
    let sum1 = 0;
    let sum2 = 0;
    let sum3 = 0;
    for (let k = 0; k < columns; k++) {
      const value = x[k];
      sum0 = (sum0 + value * matrix[w0 + k]) | 0;
      sum1 = (sum1 + value * matrix[w1 + k]) | 0;
      sum2 = (sum2 + value * matrix[w2 + k]) | 0;
      sum3 = (sum3 + value * matrix[w3 + k]) | 0;
    }
    out[row] = sum0;
    out[row + 1] = sum1;
    out[row + 2] = sum2;
    out[row + 3] = sum3;
  }
  for (; row < rows; row++) {
    let sum = 0;
    for (let k = 0; k < columns; k++) sum = (sum + x[k] * matrix[row * columns + k]) | 0;
    out[row] = sum;
  }
}
