import type { Floats, Precision } from '../kernels/training.ts';
import type { Round } from '../math/activations.ts';
import { pointIndex } from '../model/model.ts';
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

/** Adds the highway's answers to the points of the network's, `stride` apart from y[at] on, as the step kernel does at its
 * end. */
export function addBase(
  { base, length }: Run,
  i: number,
  y: Floats,
  at: number,
  stride: number,
  round: Round,
): void {
  if (base === undefined) return;
  const points = base.length / length;
  for (let o = 0; o < points; o++) y[at + o * stride] = round(y[at + o * stride] + base[i * points + o]);
}

/** How many answers of row i have a known truth. */
export function countKnown(run: Run, targets: number, i: number, { end, steps }: Bounds): number {
  let known = 0;
  for (let m = 0; m < targets; m++) {
    for (let s = 1; s <= steps; s++) if (!Number.isNaN(increment(run, targets, i, m, s, end))) known++;
  }
  return known;
}

/** What a row of answers is held to. */
export interface Objective {
  /** Of the points. */
  readonly loss: Loss;
  readonly precision: Precision;
  /** M */
  readonly targets: number;
  /** Levels, rising; empty for a point alone. */
  readonly quantiles: readonly number[];
}

/** How much the pinball losses of the distances weigh beside the loss of the points. Adam moves their own rows alike at any
 * weight; what it settles is their say in the cells. On nyc-weather's validation (two seeds) the intervals score the same at
 * 0.01, 0.2 and 1, and the MSE over 24 h is 0.2 % above that of 0.01 at 0.2 and 0.9 % at 1, which is within the noise of a
 * seed; on ETTh1 OT 24 it is 0.3 % below at 1. */
const WIDTH_WEIGHT = 0.25;

/** Writes dL/dy of a row of answers [O] at `at` and returns the summed loss of its points; an answer whose truth is
 * unknown weighs nothing.
 * @param weight 1 / (known answers of the minibatch) */
export type SlopeWriter = (
  run: Run,
  i: number,
  bounds: Bounds,
  y: Floats,
  dy: Floats,
  at: number,
  weight: number,
) => number;

export function createSlopeWriter({ loss, precision, targets, quantiles }: Objective): SlopeWriter {
  const { round } = precision;
  const count = Math.max(1, quantiles.length);
  const point = pointIndex({ quantiles });
  // the slope of a pinball loss (Koenker and Bassett 1978) below the truth, and above it
  const below = quantiles.map((level) => -round(level));
  const above = quantiles.map((level) => round(1 - level));

  /** The distances on one side of the point, outwards. What a level adds to is held fast: the point answers to its own
   * loss alone. */
  function writeSide(
    y: Floats,
    dy: Floats,
    at: number,
    truth: number,
    width: number,
    side: 1 | -1,
    weight: number,
  ): void {
    const step = round(WIDTH_WEIGHT * weight * width);
    let quantile = y[at + point];
    for (let q = point + side; q >= 0 && q < count; q += side) {
      const distance = y[at + q];
      quantile = round(quantile + side * round(width * Math.abs(distance)));
      const slope = quantile < truth ? below[q] : quantile > truth ? above[q] : 0;
      dy[at + q] = step * slope * (distance < 0 ? -side : side);
    }
  }

  return (run, i, { end, steps }, y, dy, at, weight) => {
    const last = Math.min(steps, end - 1 - i);
    let sum = 0;
    for (let m = 0; m < targets; m++) {
      const from = i * targets + m;
      const known = run.read[from] === 0 ? 0 : last;
      for (let s = 1; s <= steps; s++) {
        const first = at + (m * steps + s - 1) * count;
        const to = from + s * targets;
        if (s > known || run.read[to] === 0) {
          dy.fill(0, first, first + count);
          continue;
        }
        const truth = Math.fround(run.targets[to] - run.targets[from]);
        const error = round(y[first + point] - truth);
        sum += loss.value(error);
        dy[first + point] = round(weight * loss.slope(error));
        writeSide(y, dy, first, truth, run.widths[from], 1, weight);
        writeSide(y, dy, first, truth, run.widths[from], -1, weight);
      }
    }
    return sum;
  };
}
