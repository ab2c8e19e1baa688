import { pointIndex } from '../model/model.ts';
import { increment } from './answers.ts';
import type { Parameters, Topology } from './parameters.ts';
import type { Run } from './runs.ts';
import type { StreamPlan } from './state-pass.ts';

/** Starts the rows of the distances at what persistence is off on the training part, step by step, whatever the state:
 * positive, so that every level has a side, and of the right size, since Adam moves all widths by steps of one size. */
export function initializeWidths(
  { headWeights, headBias }: Parameters,
  { hidden }: Topology,
  runs: readonly Run[],
  { quantiles, targets, steps, trainEnds }: StreamPlan,
): void {
  const count = quantiles.length;
  if (count < 2) return;
  const point = pointIndex({ quantiles });
  for (let m = 0; m < targets; m++) {
    for (let s = 1; s <= steps; s++) {
      const first = (m * steps + s - 1) * count;
      const width = Math.fround(meanRise(runs, targets, m, s, trainEnds));
      for (let q = 0; q < count; q++) {
        if (q === point) continue;
        const levels = q < point ? point : count - 1 - point;
        headWeights.fill(0, (first + q) * hidden, (first + q + 1) * hidden);
        headBias[first + q] = Math.fround(width / levels);
      }
    }
  }
}

/** The mean of |x[i + s] - x[i]| over the training part; the scale of the z-scores without a single pair. */
function meanRise(
  runs: readonly Run[],
  targets: number,
  m: number,
  s: number,
  ends: readonly number[],
): number {
  let sum = 0;
  let pairs = 0;
  runs.forEach((run, r) => {
    for (let i = 0; i + s < ends[r]; i++) {
      const rise = increment(run, targets, i, m, s, ends[r]);
      if (Number.isNaN(rise)) continue;
      sum += Math.abs(rise);
      pairs++;
    }
  });
  return sum > 0 ? sum / pairs : 1;
}
