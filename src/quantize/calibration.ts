import type { Dataset, Split } from '../data/dataset.ts';
import { type Calibration, type Model, pointIndex } from '../model/model.ts';
import { walkSeries } from './stream-run.ts';

const levels = [0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975] as const;

export interface ValidationResiduals {
  /** Quantiles of truth - forecast for every target and step. */
  readonly calibration: Calibration;
  /** Mean squared residual in units of each target's training scale. */
  readonly mse: number;
}

/** Streams every series through the model and gathers its residuals on the validation part, all streams together. */
export function measureResiduals(model: Model, dataset: Dataset, split: Split): ValidationResiduals {
  const { targets, steps, quantiles } = model.output;
  const { features: width, scalers, channels } = model.input;
  const count = Math.max(1, quantiles.length);
  const point = pointIndex(model.output);
  const residuals: number[][] = Array.from({ length: targets.length * steps }, () => []);
  let squares = 0;
  let pairs = 0;
  dataset.series.forEach(({ stream, values, firstSlot, length }, index) => {
    const channel = channels.indexOf(stream) + 1;
    const end = Math.min(length, split.validationEnd - firstSlot);
    walkSeries(model, dataset, index, (row, answers) => {
      if (row < split.trainEnd - firstSlot - 1) return;
      targets.forEach((target, m) => {
        if (Number.isNaN(values[row * width + target])) return;
        const scale = scalers[2 * (channel * width + target) + 1];
        for (let s = 1; s <= steps && row + s < end; s++) {
          const residual = values[(row + s) * width + target] - answers[(m * steps + s - 1) * count + point];
          if (Number.isNaN(residual)) continue;
          residuals[m * steps + s - 1].push(residual);
          squares += (residual / scale) * (residual / scale);
          pairs++;
        }
      });
    });
  });
  return { calibration: toCalibration(residuals), mse: squares / pairs };
}

function toCalibration(residuals: readonly number[][]): Calibration {
  if (residuals.some((list) => list.length === 0)) return { levels: [], residuals: new Float32Array(0) };
  const sorted = residuals.map((list) => Float64Array.from(list).sort());
  const values = levels.flatMap((level) => sorted.map((list) => quantileOf(list, level)));
  return { levels, residuals: Float32Array.from(values) };
}

/** Linear between order statistics (Hyndman and Fan's type 7). */
function quantileOf(sorted: Float64Array, level: number): number {
  const position = level * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}
