import type { Floats, Precision } from '../kernels/training.ts';
import type { Round } from '../math/activations.ts';
import type { Loss } from './losses.ts';
import type { Run } from './runs.ts';

/** Which rows of a run may be looked at: targets at row `end` or later lie in another part. */
export interface Bounds {
  readonly end: number;
  /** N */
  readonly steps: number;
}

/** The increment that the network should have answered: x[i + s] - x[i] in z units; NaN where it is not known. */
export function increment(run: Run, targets: number, i: number, m: number, s: number, end: number): number {
  const from = i * targets + m;
  const to = (i + s) * targets + m;
  if (i + s >= end || run.read[from] === 0 || run.read[to] === 0) return Number.NaN;
  return Math.fround(run.targets[to] - run.targets[from]);
}

/** Adds the highway's answers to the network's at y[at..at + O), as the step kernel does at its end. */
export function addBase(
  { base }: Run,
  i: number,
  y: Floats,
  at: number,
  outputs: number,
  round: Round,
): void {
  if (base === undefined) return;
  for (let o = 0; o < outputs; o++) y[at + o] = round(y[at + o] + base[i * outputs + o]);
}

/** How many answers of row i have a known truth. */
export function countKnown(run: Run, targets: number, i: number, { end, steps }: Bounds): number {
  let known = 0;
  for (let m = 0; m < targets; m++) {
    for (let s = 1; s <= steps; s++) if (!Number.isNaN(increment(run, targets, i, m, s, end))) known++;
  }
  return known;
}

/** Writes dL/dy of one row of answers [O] and returns its summed loss; an answer whose truth is unknown weighs nothing.
 * @param weight 1 / (known answers of the minibatch) */
export function writeSlopes(
  run: Run,
  i: number,
  { end, steps }: Bounds,
  y: Floats,
  dy: Floats,
  at: number,
  { loss, weight, precision, targets }: { loss: Loss; weight: number; precision: Precision; targets: number },
): number {
  const { round } = precision;
  const last = Math.min(steps, end - 1 - i);
  let sum = 0;
  for (let m = 0; m < targets; m++) {
    const from = i * targets + m;
    const first = at + m * steps;
    const known = run.read[from] === 0 ? 0 : last;
    for (let s = 1; s <= known; s++) {
      const to = from + s * targets;
      if (run.read[to] === 0) {
        dy[first + s - 1] = 0;
        continue;
      }
      const error = round(y[first + s - 1] - Math.fround(run.targets[to] - run.targets[from]));
      sum += loss.value(error);
      dy[first + s - 1] = round(weight * loss.slope(error));
    }
    for (let s = Math.max(0, known) + 1; s <= steps; s++) dy[first + s - 1] = 0;
  }
  return sum;
}
