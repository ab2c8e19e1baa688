import type { Forecaster } from '../baselines/forecaster.ts';
import { partRange } from '../data/split.ts';
import { createScorer, type Score, type ScoreOptions } from './score.ts';

/** Lets a forecaster answer at every row that a part can be scored from, and scores it.
 * @param residuals [M * N * Q]: the distances of its quantiles from its forecasts, where it has quantiles */
export function backtest(forecaster: Forecaster, options: ScoreOptions, residuals?: Float64Array): Score {
  const { dataset, split, part, targets, steps, horizons } = options;
  const scorer = createScorer(options);
  const out = new Float64Array(targets.length * steps);
  const quantiles = residuals && new Float64Array(residuals.length);
  const levels = (residuals?.length ?? 0) / out.length;
  const { from, to } = partRange(split, part);
  const shortest = Math.min(...horizons);
  dataset.series.forEach(({ firstSlot, length }, series) => {
    const last = Math.min(length - 1, to - firstSlot - 1 - shortest);
    // the row before the part forecasts its first one
    for (let origin = Math.max(0, from - firstSlot - 1); origin <= last; origin++) {
      forecaster.forecast(series, origin, out);
      if (quantiles) {
        residuals.forEach((residual, i) => {
          quantiles[i] = out[Math.floor(i / levels)] + residual;
        });
      }
      scorer.add(series, origin, out, quantiles);
    }
  });
  return scorer.score();
}
