/** By what the distances of quantiles widen and narrow with the times: v to the power of 3/4 for each feature, where v is a
 * running mean of |x[t] - x[t-L]|, L the longest lag, relative to the same mean over the training part. Less than v, since
 * errors grow less than swings do: a day ahead the intervals of validation score as well with it as with the root, within
 * 0.2 %, and better than with v or with 1 (nyc-weather, ETTh1 OT); with the root too few truths stay inside when the season
 * turns. */
export interface SwingSpec {
  /** Frames that v remembers. */
  readonly constant: number;
  /** Mean |x[t] - x[t-L]| of the training part, [F]. */
  readonly levels: Float32Array;
}

/** One spike does not widen a fortnight. */
const LARGEST_SWING = 10;

/** v of every feature, behind the frames that it was learnt from. */
export function swingFloats(features: number): number {
  return 1 + features;
}

/** As in training, which counts for one season. */
export function startSwings(memory: Float32Array, at: number, features: number, lag: number): void {
  memory[at] = lag;
  memory.fill(1, at + 1, at + 1 + features);
}

export function countSwing(memory: Float32Array, at: number, { constant }: SwingSpec): void {
  memory[at] = Math.min(memory[at] + 1, constant);
}

/** v <- v + ((|x[t] - x[t-L]| * 1/g) / level - v) / n, n growing to the time constant.
 * @param newest where x[t] lies; `past`: x[t-L]
 * @param inverseAt where 1/g lies, -1 for 1: a stream of another scale swings like the others */
export function learnSwing(
  memory: Float32Array,
  at: number,
  k: number,
  newest: number,
  past: number,
  inverseAt: number,
  { levels }: SwingSpec,
): void {
  const v = memory[at + 1 + k];
  const d = Math.fround(memory[newest] - memory[past]);
  const inverse = inverseAt < 0 ? 1 : memory[inverseAt];
  const swing = Math.min(LARGEST_SWING, Math.fround(Math.fround(Math.abs(d) * inverse) / levels[k]));
  memory[at + 1 + k] = v + Math.fround(Math.fround(swing - v) / memory[at]);
}

/** Writes what distances are multiplied by, from the index of v; 1 where there is none (-1). */
export function writeWidth(memory: Float32Array, index: number, out: Float32Array, at: number): void {
  const root = index < 0 ? 1 : Math.fround(Math.sqrt(memory[index]));
  out[at] = root * Math.fround(Math.sqrt(root));
}
