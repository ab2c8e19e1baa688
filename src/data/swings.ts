import { normalize, type Scaler } from '../signal/scaler.ts';
import type { Dataset, Split } from './dataset.ts';

/** Mean |x[t] - x[t-lag]| of each feature over the training part, in z units; 1 for a feature that never moves. */
export function measureSwings(
  { series, features }: Dataset,
  { trainEnd }: Split,
  scalers: readonly (readonly Scaler[])[],
  lag: number,
): Float32Array {
  const width = features.length;
  return Float32Array.from(features, (_, k) => {
    let sum = 0;
    let pairs = 0;
    series.forEach(({ values, length, firstSlot }, index) => {
      const { mean, scale } = scalers[index][k];
      const z = (row: number) => normalize(values[row * width + k], mean, scale);
      const end = Math.min(length, trainEnd - firstSlot);
      for (let row = lag; row < end; row++) {
        const swing = Math.abs(z(row) - z(row - lag));
        if (Number.isNaN(swing)) continue;
        sum += swing;
        pairs++;
      }
    });
    return sum > 0 ? sum / pairs : 1;
  });
}
