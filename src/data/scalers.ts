import { fitScaler, type Scaler } from '../signal/scaler.ts';
import type { Dataset, Series, Split } from './dataset.ts';

export interface ScalerOptions {
  /** A scaler for each stream. */
  readonly perStream?: boolean;
  /** How far back the inputs look, in frames: a sensor that wanders far in the long run, as a meter does, is scaled by
   * how much it changes over them. */
  readonly lag?: number;
}

/** A wandering sensor's scale, in standard deviations of its changes. Weather and machines spread over one to three. */
const SCALE_OF_CHANGES = 3;

/** Standard deviations in units of the scale: float32 still sees a ten thousandth of it that far from the mean. */
const LARGEST_SPREAD = 1000;

/** A scaler a feature, fitted on the training part of all the given series together. */
export function fitFeatureScalers(
  { features, series }: Pick<Dataset, 'features' | 'series'>,
  split: Split,
  lag?: number,
): Scaler[] {
  return features.map((_, k) => {
    const column = { feature: k, features: features.length };
    const { mean, scale } = fitScaler(trainingValues(series, split, column));
    if (lag === undefined) return { mean, scale };
    const [far, near] = [lag, Math.ceil(lag / 2)].map(
      (back) => fitScaler(trainingChanges(series, split, column, back)).scale,
    );
    // half a season ago as well: what comes back after a season has not changed
    const changes = SCALE_OF_CHANGES * Math.sqrt((far * far + near * near) / 2);
    if (Number.isNaN(changes)) return { mean, scale };
    return { mean, scale: Math.fround(Math.max(scale / LARGEST_SPREAD, Math.min(scale, changes))) };
  });
}

/** [series][feature]: one scaler a feature for all streams, or with `perStream` one for each stream. */
export function fitScalers(
  dataset: Dataset,
  split: Split,
  { perStream = false, lag }: ScalerOptions = {},
): readonly (readonly Scaler[])[] {
  const common = fitFeatureScalers(dataset, split, lag);
  if (!perStream) return dataset.series.map(() => common);
  return dataset.series.map((one) => {
    const own = fitFeatureScalers({ features: dataset.features, series: [one] }, split, lag);
    // a stream whose training rows are missing or all alike is scaled like the others
    return own.map((scaler, k) => (scaler.scale > 0 ? scaler : common[k]));
  });
}

/** Streams that swing more than this many times as wide as others are not scaled alike: the small ones would vanish. */
const ALIKE = 4;

/** Whether the streams swing so differently, in any feature, that each needs a scaler of its own. */
export function scalesDiffer({ features, series }: Dataset, split: Split): boolean {
  return features.some((_, feature) => {
    const scales = series
      .map((one) => fitScaler(trainingValues([one], split, { feature, features: features.length })).scale)
      .filter((scale) => scale > 0);
    return Math.max(...scales) > ALIKE * Math.min(...scales);
  });
}

/** x[t] - x[t - lag] of one feature in the training part; NaN where one of them is missing. */
function* trainingChanges(
  series: readonly Series[],
  split: Split,
  column: { feature: number; features: number },
  lag: number,
): Generator<number> {
  for (const one of series) {
    const values = [...trainingValues([one], split, column)];
    for (let t = lag; t < values.length; t++) yield values[t] - values[t - lag];
  }
}

/** One feature's values in the training part, of all the series one after the other; NaN where missing. */
export function* trainingValues(
  series: readonly Series[],
  { start, trainEnd }: Split,
  { feature, features }: { feature: number; features: number },
): Generator<number> {
  for (const { firstSlot, length, values } of series) {
    const to = Math.min(length, trainEnd - firstSlot);
    for (let row = Math.max(0, start - firstSlot); row < to; row++) yield values[row * features + feature];
  }
}
