import type { Forecaster } from '../baselines/forecaster.ts';
import { partRange } from '../data/split.ts';
import type { ScoreOptions } from './score.ts';

/** Quantiles of truth - forecast on the validation part, [M * N, levels]: the intervals of a forecaster that has none of
 * its own. None when a step has not a single pair. */
export function residualQuantiles(
  forecaster: Forecaster,
  { dataset, split, targets, steps }: ScoreOptions,
  levels: readonly number[],
): Float64Array | undefined {
  const width = dataset.features.length;
  const { from, to } = partRange(split, 'validation');
  const residuals = Array.from({ length: targets.length * steps }, (): number[] => []);
  const out = new Float64Array(targets.length * steps);
  dataset.series.forEach(({ values, firstSlot, length }, series) => {
    const end = Math.min(length, to - firstSlot);
    for (let origin = Math.max(0, from - firstSlot - 1); origin < end; origin++) {
      forecaster.forecast(series, origin, out);
      targets.forEach((target, m) => {
        if (Number.isNaN(values[origin * width + target])) return;
        for (let s = 1; s <= steps && origin + s < end; s++) {
          const row = m * steps + s - 1;
          const residual = values[(origin + s) * width + target] - out[row];
          if (!Number.isNaN(residual)) residuals[row].push(residual);
        }
      });
    }
  });
  if (residuals.some((list) => list.length === 0)) return undefined;
  return Float64Array.from(
    residuals.flatMap((list) => {
      const sorted = Float64Array.from(list).sort();
      return levels.map((level) => sorted[Math.round(level * (sorted.length - 1))]);
    }),
  );
}
