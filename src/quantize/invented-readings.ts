import type { Dataset } from '../data/dataset.ts';
import { purpose, uniform } from '../math/random.ts';
import type { Model } from '../model/model.ts';

/** How much of a z-score stays from frame to frame: sensors wander. */
const MEMORY = 0.9;
const SEED = 1;

/** One stream of readings with the mean and scale of each feature, the same on every machine: for a model that comes
 * without data. They prove arithmetic, and say nothing of how good the forecasts are. */
export function inventReadings({ input }: Model, length: number): Dataset {
  const { features, scalers, names, periodMs } = input;
  const values = new Float32Array(length * features);
  // keeps the variance at 1: the noise is a sum of four uniform numbers, of variance 1/3
  const noiseScale = Math.sqrt(3 * (1 - MEMORY * MEMORY));
  for (let k = 0; k < features; k++) {
    let z = 0;
    for (let t = 0; t < length; t++) {
      let noise = -2;
      for (let n = 0; n < 4; n++) noise += uniform(SEED, purpose.readings, t, k, n);
      z = MEMORY * z + noiseScale * noise;
      values[t * features + k] = scalers[2 * k] + scalers[2 * k + 1] * z;
    }
  }
  return {
    ...{ periodMs, features: names, sha256: '' },
    series: [{ stream: 'invented', firstSlot: 0, length, values, present: new Uint8Array(length).fill(1) }],
    counts: { rows: length, applied: length, merged: 0, duplicate: 0, missing: 0, late: 0, malformed: 0 },
  };
}
