import type { Dataset, Split } from '../data/dataset.ts';
import { type Golden, type Model, outputSize } from '../model/model.ts';
import { QuantizeError } from './quantize-model.ts';
import { createStreamRun } from './stream-run.ts';

/** The fewest frames that prove a model on a device. */
const LEAST_FRAMES = 64;

/** max(64, 3P, T) consecutive frames of the first stream that is long enough, from the start of validation, and what this model makes of them
 * from a zero state. Missing rows are frames of NaN. */
export function createGolden(model: Model, dataset: Dataset, split: Split): Golden {
  const { phases, segment } = model.architecture;
  const features = dataset.features.length;
  const wanted = Math.max(LEAST_FRAMES, 3 * phases, segment);
  const longest = dataset.series.reduce((best, one) => (one.length > best.length ? one : best));
  const series = dataset.series.find(({ length }) => length >= wanted) ?? longest;
  const from = Math.max(0, Math.min(split.trainEnd - series.firstSlot, series.length - wanted));
  const count = Math.min(wanted, series.length - from);
  const size = outputSize(model.output);
  const frames = series.values.slice(from * features, (from + count) * features);
  const outputs = new Float32Array(count * size);
  const timesMs = new Float64Array(count);
  const run = createStreamRun(model, series.stream);
  let answered = 0;
  for (let i = 0; i < count; i++) {
    const slot = series.firstSlot + from + i;
    timesMs[i] = slot * dataset.periodMs;
    const answers = run.step(slot, frames.subarray(i * features, (i + 1) * features));
    if (!answers) continue;
    outputs.set(answers, i * size);
    answered++;
  }
  if (answered === 0) {
    throw new QuantizeError(
      `no answer in ${count} frames without a long gap: the model could not prove itself; shorten model.segment`,
    );
  }
  return { stream: series.stream, timesMs, frames, outputs, state: run.state.slice() };
}
