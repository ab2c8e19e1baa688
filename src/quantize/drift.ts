import type { Dataset, Series, Split } from '../data/dataset.ts';
import type { Model } from '../model/model.ts';
import { createStreamRun, type StreamRun } from './stream-run.ts';

/** What one layer has to do with the error. */
interface LayerDrift {
  /** Relative root mean square error of its h. */
  readonly hidden: number;
  /** What its integers alone, all other layers in float, cost at the output. */
  readonly alone: number;
}

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
  readonly layers: readonly LayerDrift[];
}

const BLOCKS = 40;

interface ErrorSums {
  error: number;
  power: number;
}

function addErrors(sums: ErrorSums, found: Float32Array, expected: Float32Array): void {
  for (let i = 0; i < found.length; i++) {
    const error = found[i] - expected[i];
    sums.error += error * error;
    sums.power += expected[i] * expected[i];
  }
}

const relative = ({ error, power }: ErrorSums) => (power === 0 ? 0 : Math.sqrt(error / power));
const zero = (): ErrorSums => ({ error: 0, power: 0 });
const joined = (sums: readonly ErrorSums[]): ErrorSums => ({
  error: sums.reduce((sum, { error }) => sum + error, 0),
  power: sums.reduce((sum, { power }) => sum + power, 0),
});

/** Steps models side by side over the validation rows of the stream that has most of them, repeated from the start as
 * needed; no state is ever reset. */
function runBeside(
  models: readonly Model[],
  dataset: Dataset,
  split: Split,
  total: number,
  visit: (step: number, runs: readonly StreamRun[]) => void,
): void {
  const from = ({ firstSlot }: Series) => Math.max(0, split.trainEnd - firstSlot);
  const rowsOf = (one: Series) => Math.min(one.length, split.validationEnd - one.firstSlot) - from(one);
  const series = dataset.series.reduce((best, one) => (rowsOf(one) > rowsOf(best) ? one : best));
  const features = dataset.features.length;
  const [first, rows] = [from(series), rowsOf(series)];
  const runs = models.map((model) => createStreamRun(model, series.stream));
  for (let i = 0; i < total; i++) {
    const row = first + (i % rows);
    const values = series.values.subarray(row * features, (row + 1) * features);
    for (const run of runs) run.step(series.firstSlot + first + i, values);
    visit(i, runs);
  }
}

/** The relative root mean square error of the outputs of some models beside a float one. */
export function measureOutputErrors(
  models: readonly Model[],
  float: Model,
  dataset: Dataset,
  split: Split,
  total: number,
): number[] {
  const sums = models.map(zero);
  runBeside([float, ...models], dataset, split, total, (_, [expected, ...runs]) => {
    runs.forEach((run, i) => {
      addErrors(sums[i], run.increments, expected.increments);
    });
  });
  return sums.map(relative);
}

export function measureDrift(
  int8: Model,
  float: Model,
  dataset: Dataset,
  split: Split,
  total = 10_000,
): Drift {
  const { hidden: size } = int8.architecture;
  const blockLength = Math.ceil(total / BLOCKS);
  const count = Math.ceil(total / blockLength);
  const output = Array.from({ length: count }, zero);
  // [layer][block]
  const hidden = int8.layers.map(() => Array.from({ length: count }, zero));
  runBeside([int8, float], dataset, split, total, (step, runs) => {
    const block = Math.floor(step / blockLength);
    addErrors(output[block], runs[0].increments, runs[1].increments);
    hidden.forEach((sums, l) => {
      const [found, expected] = runs.map((run) => run.hidden.subarray(l * size, (l + 1) * size));
      addErrors(sums[block], found, expected);
    });
  });
  const outputOverall = relative(joined(output));
  const alone =
    int8.layers.length === 1
      ? [outputOverall]
      : measureOutputErrors(quantizedAlone(int8, float), float, dataset, split, total);
  const layers = hidden.map((sums, l) => ({ hidden: relative(joined(sums)), alone: alone[l] }));
  return {
    steps: output.map((_, block) => Math.min(total, (block + 1) * blockLength)),
    hidden: output.map((_, block) => relative(hidden.at(-1)?.[block] ?? zero())),
    output: output.map(relative),
    hiddenOverall: layers.at(-1)?.hidden ?? 0,
    outputOverall,
    layers,
  };
}

/** [layer]: the float model with the integers of that layer. */
function quantizedAlone(int8: Model, float: Model): Model[] {
  return int8.layers.map((integers, l) => ({
    ...float,
    layers: float.layers.map((layer, index) => (index === l ? integers : layer)),
  }));
}
