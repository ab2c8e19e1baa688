import { fitScaler, type Scaler } from '../signal/scaler.ts';
import type { Dataset, Series, Split } from './dataset.ts';

/** A scaler a feature, fitted on the training part of all the given series together. */
export function fitFeatureScalers(
  { features, series }: Pick<Dataset, 'features' | 'series'>,
  split: Split,
): Scaler[] {
  return features.map((_, k) =>
    fitScaler(trainingValues(series, split, { feature: k, features: features.length })),
  );
}

/** [series][feature]: one scaler a feature for all streams, or with `perStream` (share: channels) one for each stream. */
export function fitScalers(
  dataset: Dataset,
  split: Split,
  { perStream = false }: { perStream?: boolean } = {},
): readonly (readonly Scaler[])[] {
  const common = fitFeatureScalers(dataset, split);
  if (!perStream) return dataset.series.map(() => common);
  return dataset.series.map((one) => {
    const own = fitFeatureScalers({ features: dataset.features, series: [one] }, split);
    // a stream that has no training rows is scaled like the others
    return own.map((scaler, k) => (Number.isNaN(scaler.mean) ? common[k] : scaler));
  });
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
