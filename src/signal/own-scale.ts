/** A stream that the training never saw may come in other units, or swing wider. Its factor g says how much wider than the
 * training it moves: differences are divided by it, increments multiplied. v, the square of g, is a running mean of
 * (x[t] - x[t-1])^2 over the same mean of the training part, counted with some training before the stream's first value.
 * A stream's floats, for each feature: g, 1/g, v, and n, the values that v has the weight of; n = 0 keeps g at 1.
 *
 * One step back and not a season: the steps of a week are some 168 values of nearly their own, the differences of a day
 * one a day. */
export const scaleFloats = 4;

/** n of a stream that is new, and of one that has been there for ever. */
const leastCount = 16;
const mostCount = 1024;
/** n grows by less than 1 a value, so that newer values count for more and the training of the start fades as 1/n^2. */
const growth = 0.5;

/** One value counts for this many times v at most: a spike is no new scale, and a new scale is learnt in some values. */
const largestJump = 25;

/** v stays in here, so g in 1e-3..1e3. */
const leastSquare = 1e-6;
const largestSquare = 1e6;

/** Starts a stream at the scale of the training. A known stream stays there, and so does a feature that did not move in
 * the training part.
 * @param at where the stream's scales lie, [F, 4] */
export function startScales(memory: Float32Array, at: number, spread: Float32Array, known: boolean): void {
  for (let k = 0; k < spread.length; k++) {
    memory.fill(1, at + k * scaleFloats, at + (k + 1) * scaleFloats);
    memory[at + k * scaleFloats + 3] = known || spread[k] === 0 ? 0 : leastCount;
  }
}

/** v <- v + (min((x[t] - x[t-1])^2 / spread, 25 v) - v) / n, in float32, one rounding an operation.
 * @param at where g stands; `newestAt`, `beforeAt`: where x[t] and x[t-1] do, both of them read */
export function learnScale(
  memory: Float32Array,
  at: number,
  newestAt: number,
  beforeAt: number,
  spread: Float32Array,
  feature: number,
): void {
  if (memory[at + 3] === 0) return;
  const count = Math.min(mostCount, memory[at + 3] + growth);
  const v = memory[at + 2];
  const difference = Math.fround(memory[newestAt] - memory[beforeAt]);
  const ratio = Math.fround(Math.fround(difference * difference) / spread[feature]);
  const counted = Math.min(ratio, Math.fround(largestJump * v));
  const next = Math.fround(v + Math.fround(Math.fround(counted - v) / count));
  memory[at + 3] = count;
  memory[at + 2] = Math.max(leastSquare, Math.min(largestSquare, next));
  memory[at] = Math.sqrt(memory[at + 2]);
  memory[at + 1] = 1 / memory[at];
}

/** The mean squared step of one feature over all series, as float32; 0 where it does not move: then it says nothing
 * about scale. Basic operations in a fixed order: it reaches the model's bytes.
 * @param series z-scores of the training part on the time grid, NaN where missing */
export function fitSpread(series: readonly ArrayLike<number>[]): number {
  let squares = 0;
  let count = 0;
  for (const x of series) {
    for (let t = 1; t < x.length; t++) {
      const step = x[t] - x[t - 1];
      if (Number.isNaN(step)) continue;
      squares += step * step;
      count++;
    }
  }
  const mean = Math.fround(squares / Math.max(1, count));
  return mean < leastSpread ? 0 : mean;
}

/** Of z-scores: below it a feature repeats itself to the last digits, above it lies no square that they have. */
export const leastSpread = 1e-9;
export const largestSpread = 1e13;
