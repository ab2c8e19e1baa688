/** Beyond these a sum of float32 could come near infinity, with z-scores below the limit and weights within 1e6. */
export const largestMean = 1e30;
export const largestScale = 1e20;

/** A reading further from the mean than this many scales is no reading of this sensor. */
const Z_LIMIT = 1e6;

/** A z-score in float32, one rounding an operation, so that every machine scales to the same bits.
 * NaN (missing) stays NaN; infinite and absurd readings become missing, so that no sum can overflow later. */
export function normalize(raw: number, mean: number, scale: number): number {
  const z = Math.fround(Math.fround(raw - mean) / scale);
  return Math.abs(z) <= Z_LIMIT ? z : Number.NaN;
}

export function denormalize(z: number, mean: number, scale: number): number {
  return Math.fround(Math.fround(z * scale) + mean);
}

// The same from array to array, for the step: a number handed to a function or back may be boxed on the heap.

/** @param scalers mean, scale of each feature, from `at` on */
export function normalizeFrame(frame: Float32Array, scalers: Float32Array, at: number): void {
  for (let k = 0; k < frame.length; k++) {
    const z = Math.fround(Math.fround(frame[k] - scalers[at + 2 * k]) / scalers[at + 2 * k + 1]);
    frame[k] = Math.abs(z) <= Z_LIMIT ? z : Number.NaN;
  }
}

/** values[from..to-1], all of the feature whose mean and scale stand at `at`. */
export function denormalizeValues(
  values: Float32Array,
  from: number,
  to: number,
  scalers: Float32Array,
  at: number,
): void {
  for (let i = from; i < to; i++) values[i] = Math.fround(values[i] * scalers[at + 1]) + scalers[at];
}

export interface Scaler {
  readonly mean: number;
  readonly scale: number;
}

/** Mean and standard deviation of the values that are not NaN, as float32. A constant gives scale 0: refuse it.
 * @returns mean NaN when there is no value */
export function fitScaler(values: Iterable<number>): Scaler {
  let count = 0;
  let mean = 0;
  let squares = 0;
  // Welford: stable in one pass
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    count++;
    const delta = value - mean;
    mean += delta / count;
    squares += delta * (value - mean);
  }
  if (count === 0) return { mean: Number.NaN, scale: Number.NaN };
  return { mean: Math.fround(mean), scale: Math.fround(Math.sqrt(squares / count)) };
}
