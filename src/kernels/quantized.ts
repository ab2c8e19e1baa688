import { roundHalfEven } from '../math/rounding.ts';
import type { QuantizedTensor } from '../model/model.ts';

/** The integers of a matrix, its planes joined: 32 * plane + lowPlane. */
export function joinPlanes({ plane, lowPlane }: QuantizedTensor): Int16Array {
  const integers = Int16Array.from(plane);
  if (lowPlane !== undefined)
    for (let i = 0; i < integers.length; i++) integers[i] = 32 * plane[i] + lowPlane[i];
  return integers;
}

/** Quantizes a vector by its own largest magnitude m: q = rhe(x * limit/m).
 * @returns its scale m/limit; 0 for a vector of (almost) zeros */
export function quantizeVector(
  x: Float32Array,
  at: number,
  length: number,
  limit: number,
  out: Int16Array,
): number {
  let m = 0;
  for (let k = 0; k < length; k++) {
    const magnitude = Math.abs(x[at + k]);
    if (magnitude > m) m = magnitude;
  }
  if (m <= 1e-30) {
    out.fill(0, 0, length);
    return 0;
  }
  const inverse = Math.fround(limit / m);
  for (let k = 0; k < length; k++) out[k] = roundHalfEven(Math.fround(x[at + k] * inverse));
  return Math.fround(m / limit);
}

/** An exact integer sum; the model's limits keep it inside int32. */
export function dotIntegers(x: Int16Array, w: Int16Array, row: number, length: number): number {
  let sum = 0;
  for (let k = 0; k < length; k++) sum = (sum + x[k] * w[row + k]) | 0;
  return sum;
}
