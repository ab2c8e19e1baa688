import type { Scaler } from '../signal/scaler.ts';
import type { Dataset, Series } from './dataset.ts';

/** One feature as a stream serves it: a missing value holds the one before it, before the first one `mean`. */
export function holdMissing(series: Series, feature: number, mean: number): Float32Array {
  const features = series.values.length / series.length;
  let value = mean;
  return Float32Array.from({ length: series.length }, (_, row) => {
    const given = series.values[row * features + feature];
    if (!Number.isNaN(given)) value = given;
    return value;
  });
}

/** [series][feature], each [length] */
export type HeldValues = readonly (readonly Float32Array[])[];

/** @param scalers [series][feature] */
export function holdAll({ series, features }: Dataset, scalers: readonly (readonly Scaler[])[]): HeldValues {
  return series.map((one, i) => features.map((_, k) => holdMissing(one, k, scalers[i][k].mean)));
}
