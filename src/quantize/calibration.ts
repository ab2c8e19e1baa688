import type { Dataset, Split } from '../data/dataset.ts';
import type { Calibration, Model } from '../model/model.ts';
import { visitPairs } from './validation-pairs.ts';

const levels = [0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975] as const;

export interface ValidationResiduals {
  /** Quantiles of truth - forecast for every target and step; none for a model that answers quantiles itself. */
  readonly calibration: Calibration;
  /** Mean squared residual in units of each target's training scale. */
  readonly mse: number;
}

/** Streams every series through the model and gathers its residuals on the validation part, all streams together. */
export function measureResiduals(model: Model, dataset: Dataset, split: Split): ValidationResiduals {
  const { targets, steps, quantiles } = model.output;
  const residuals: number[][] = Array.from({ length: targets.length * steps }, () => []);
  let squares = 0;
  let pairs = 0;
  visitPairs(model, dataset, split, ({ row, truth, answers, at, point, scale, ratio }) => {
    const residual = truth - answers[at + point];
    residuals[row].push(residual / ratio);
    squares += (residual / scale) * (residual / scale);
    pairs++;
  });
  return { calibration: quantiles.length > 1 ? nothing : toCalibration(residuals), mse: squares / pairs };
}

const nothing: Calibration = { levels: [], residuals: new Float32Array(0) };

function toCalibration(residuals: readonly number[][]): Calibration {
  if (residuals.some((list) => list.length === 0)) return nothing;
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
