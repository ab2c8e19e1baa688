import { writeWidth } from '../signal/swings.ts';

/** In an array: a number handed back may be boxed on the heap. */
const width = new Float32Array(1);

/** From answers to quantiles, in place. Of the `count` rows of a step the one at `point` is the point forecast; every
 * other holds a distance: y_q = y_(next inner level) -/+ width |r_q|, outwards from the point. So quantiles cannot cross,
 * and a factor on a row of the head is a factor on its distance.
 * @param swing where the swing that they widen by lies in `memory` (signal/inputs.ts); -1: nowhere */
export function spreadQuantiles(
  values: Float32Array,
  from: number,
  to: number,
  count: number,
  point: number,
  memory: Float32Array,
  swing: number,
): void {
  writeWidth(memory, swing, width, 0);
  for (let at = from; at < to; at += count) {
    for (let q = at + point + 1; q < at + count; q++)
      values[q] = values[q - 1] + Math.fround(width[0] * Math.abs(values[q]));
    for (let q = at + point - 1; q >= at; q--)
      values[q] = values[q + 1] - Math.fround(width[0] * Math.abs(values[q]));
  }
}
