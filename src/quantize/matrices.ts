import { roundHalfEven } from '../math/rounding.ts';
import { integerLimits } from '../model/limits.ts';
import type { FloatTensor, QuantizedTensor } from '../model/model.ts';
import type { Feedback } from './feedback.ts';

/** The largest integer of two planes that hold 32 * plane + lowPlane with every part within 127. */
export const INPUT_WEIGHT_LIMIT = 4079;

/** Symmetric, a scale a row from its largest magnitude: w = integer * scale, |integer| <= limit. With feedback a weight
 * also takes up what the rounding of those before it did to the row's sum; else it goes to the nearest integer. */
export function quantizeMatrix(
  { values, shape }: FloatTensor,
  limit: number,
  feedback?: Feedback,
): QuantizedTensor {
  const [rows, columns] = shape;
  const integers = new Int16Array(values.length);
  const rowScales = new Float32Array(rows);
  const errors = new Float64Array(columns);
  for (let j = 0; j < rows; j++) {
    const row = values.subarray(j * columns, (j + 1) * columns);
    let most = 0;
    for (const value of row) most = Math.max(most, Math.abs(value));
    // a row of (almost) zeros is zero under any scale; 1 avoids 0/0
    const isZero = most <= 1e-30;
    rowScales[j] = isZero ? 1 : most / limit;
    const inverse = isZero ? 0 : Math.fround(limit / most);
    for (let turn = 0; turn < columns; turn++) {
      const k = feedback ? feedback.order[turn] : turn;
      const wanted = row[k] + (feedback ? carryOver(feedback, errors, turn) : 0);
      const integer = Math.max(-limit, Math.min(limit, roundHalfEven(Math.fround(wanted * inverse))));
      integers[j * columns + k] = integer;
      errors[turn] = row[k] - integer * rowScales[j];
    }
  }
  if (limit <= integerLimits.hidden)
    return { kind: 'int8', shape, plane: Int8Array.from(integers), rowScales };
  const plane = Int8Array.from(integers, (integer) => Math.floor((integer + 16) / 32));
  const lowPlane = Int8Array.from(integers, (integer, i) => integer - 32 * plane[i]);
  return { kind: 'int8', shape, plane, lowPlane, rowScales };
}

/** What the weight whose turn it is takes up of the errors of those before it. */
function carryOver({ factors, order }: Feedback, errors: Float64Array, turn: number): number {
  let sum = 0;
  for (let before = 0; before < turn; before++) sum += errors[before] * factors[turn * order.length + before];
  return sum;
}

/** What the integers stand for, as float32. */
export function dequantizeMatrix({ plane, lowPlane, rowScales, shape }: QuantizedTensor): FloatTensor {
  const values = Float32Array.from(plane, (high, i) => {
    const integer = lowPlane ? 32 * high + lowPlane[i] : high;
    return integer * rowScales[Math.floor(i / shape[1])];
  });
  return { kind: 'float32', shape, values };
}
