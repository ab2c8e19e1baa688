import type { Dataset, Series, Split } from '../data/dataset.ts';
import type { Model } from '../model/model.ts';
import { createStreamRun } from './stream-run.ts';

/** How far the int8 model is from its own float model while both run free on the same input. */
export interface Drift {
  /** Steps since the state was zero, at the end of each block. */
  readonly steps: readonly number[];
  /** Relative root mean square error of h of the top layer, and of the increments y, in each block. */
  readonly hidden: readonly number[];
  readonly output: readonly number[];
  /** The same over all steps. */
  readonly hiddenOverall: number;
  readonly outputOverall: number;
}

const BLOCKS = 40;

interface ErrorSums {
  error: number;
  power: number;
}

function addErrors(sums: readonly ErrorSums[], found: Float32Array, expected: Float32Array): void {
  for (let i = 0; i < found.length; i++) {
    const error = found[i] - expected[i];
    for (const sum of sums) {
      sum.error += error * error;
      sum.power += expected[i] * expected[i];
    }
  }
}

const relative = ({ error, power }: ErrorSums) => (power === 0 ? 0 : Math.sqrt(error / power));
const zero = (): ErrorSums => ({ error: 0, power: 0 });

/** Runs both over the held-out rows of the stream that has most of them, repeated from the start as needed; no state is
 * ever reset. */
export function measureDrift(
  int8: Model,
  float: Model,
  dataset: Dataset,
  split: Split,
  total = 10_000,
): Drift {
  const heldOut = ({ firstSlot, length }: Series) => Math.min(length, firstSlot + length - split.trainEnd);
  const series = dataset.series.reduce((best, one) => (heldOut(one) > heldOut(best) ? one : best));
  const features = dataset.features.length;
  const from = Math.max(0, split.trainEnd - series.firstSlot);
  const rows = series.length - from;
  const runs = [int8, float].map((model) => createStreamRun(model, series.stream));
  const blockLength = Math.ceil(total / BLOCKS);
  const overall = { hidden: zero(), output: zero() };
  const drift = { steps: [] as number[], hidden: [] as number[], output: [] as number[] };
  let block = { hidden: zero(), output: zero() };
  for (let i = 0; i < total; i++) {
    const row = from + (i % rows);
    const values = series.values.subarray(row * features, (row + 1) * features);
    for (const run of runs) run.step(series.firstSlot + from + i, values);
    addErrors([block.hidden, overall.hidden], runs[0].hidden, runs[1].hidden);
    addErrors([block.output, overall.output], runs[0].increments, runs[1].increments);
    if ((i + 1) % blockLength !== 0 && i + 1 < total) continue;
    drift.steps.push(i + 1);
    drift.hidden.push(relative(block.hidden));
    drift.output.push(relative(block.output));
    block = { hidden: zero(), output: zero() };
  }
  return { ...drift, hiddenOverall: relative(overall.hidden), outputOverall: relative(overall.output) };
}
