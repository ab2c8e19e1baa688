import { roundHalfEven } from '../math/rounding.ts';
import { integerLimits } from '../model/limits.ts';
import type { FloatTensor, QuantizedTensor } from '../model/model.ts';

/** The largest integer of two planes that hold 32 * plane + lowPlane with every part within 127. */
export const INPUT_WEIGHT_LIMIT = 4079;

/** Symmetric, a scale a row from its largest magnitude: w = integer * scale, |integer| <= limit. */
export function quantizeMatrix({ values, shape }: FloatTensor, limit: number): QuantizedTensor {
  const [rows, columns] = shape;
  const integers = new Int16Array(values.length);
  const rowScales = new Float32Array(rows);
  for (let j = 0; j < rows; j++) {
    const row = values.subarray(j * columns, (j + 1) * columns);
    let most = 0;
    for (const value of row) most = Math.max(most, Math.abs(value));
    // a row of (almost) zeros is zero under any scale; 1 avoids 0/0
    const isZero = most <= 1e-30;
    rowScales[j] = isZero ? 1 : most / limit;
    const inverse = isZero ? 0 : Math.fround(limit / most);
    row.forEach((value, k) => {
      const integer = roundHalfEven(Math.fround(value * inverse));
      integers[j * columns + k] = Math.max(-limit, Math.min(limit, integer));
    });
  }
  if (limit <= integerLimits.hidden)
    return { kind: 'int8', shape, plane: Int8Array.from(integers), rowScales };
  const plane = Int8Array.from(integers, (integer) => Math.floor((integer + 16) / 32));
  const lowPlane = Int8Array.from(integers, (integer, i) => integer - 32 * plane[i]);
  return { kind: 'int8', shape, plane, lowPlane, rowScales };
}
