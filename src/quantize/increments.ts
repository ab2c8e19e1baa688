import type { Dataset } from '../data/dataset.ts';
import { type Model, outputSize } from '../model/model.ts';
import { createStreamRun } from './stream-run.ts';

/** Frames of one series without a cold start. */
export interface Stretch {
  /** Index of the series. */
  readonly series: number;
  readonly firstSlot: number;
  readonly length: number;
}

/** What a model answers to each frame of a stretch, from a cold start: increments in z-scores, [length, O]; 0 where no row
 * was read. */
export function streamIncrements(
  model: Model,
  { series, features }: Dataset,
  { series: index, firstSlot, length }: Stretch,
): Float32Array {
  const { stream, values, present, firstSlot: start } = series[index];
  const size = outputSize(model.output);
  const width = features.length;
  const run = createStreamRun(model, stream);
  const increments = new Float32Array(length * size);
  for (let i = 0; i < length; i++) {
    const row = firstSlot + i - start;
    if (present[row] === 0) continue;
    run.step(firstSlot + i, values.subarray(row * width, (row + 1) * width));
    increments.set(run.increments, i * size);
  }
  return increments;
}
