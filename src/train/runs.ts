import type { Dataset, Series } from '../data/dataset.ts';
import {
  type InputSpec,
  inputSize,
  layoutPast,
  newestValue,
  openPast,
  pushFrame,
  startPast,
  swingIndex,
  writeInputs,
} from '../signal/inputs.ts';
import { normalize, type Scaler } from '../signal/scaler.ts';
import { writeWidth } from '../signal/swings.ts';

/** Frames of one stream with no gap beyond the limit: what a stream sees between two cold starts. */
export interface Run {
  /** Index of the series, and of its bias. */
  readonly series: number;
  readonly firstSlot: number;
  readonly length: number;
  /** f of every frame, [length, I] */
  readonly inputs: Float32Array;
  /** z-scores of the targets, filled where missing: [length, M] */
  readonly targets: Float32Array;
  /** 1 where a target was really read: [length, M] */
  readonly read: Uint8Array;
  /** What a frozen highway answers to each frame, [length, M * N]: the network learns the rest. */
  readonly base?: Float32Array;
  /** What the distances of its quantiles are multiplied by: [length, M] */
  readonly widths: Float32Array;
}

export interface RunOptions {
  readonly spec: InputSpec;
  readonly gapLimit: number;
  /** Indices of features. */
  readonly targets: readonly number[];
  /** [series][feature] */
  readonly scalers: readonly (readonly Scaler[])[];
}

/** Cuts every series at gaps beyond the limit and computes the inputs exactly as a served stream would see them. */
export function createRuns(dataset: Dataset, options: RunOptions): Run[] {
  return dataset.series.flatMap((series, index) =>
    splitAtGaps(series, options.gapLimit).map(([from, to]) => createRun(series, index, from, to, options)),
  );
}

/** Row ranges [from, to) that begin and end with a row that was read. */
function splitAtGaps({ present, length }: Series, gapLimit: number): [number, number][] {
  const ranges: [number, number][] = [];
  let from = -1;
  let last = -1;
  for (let row = 0; row < length; row++) {
    if (present[row] === 0) continue;
    if (from >= 0 && row - last - 1 > gapLimit) {
      ranges.push([from, last + 1]);
      from = row;
    }
    if (from < 0) from = row;
    last = row;
  }
  if (from >= 0) ranges.push([from, last + 1]);
  return ranges;
}

function createRun(
  { values, firstSlot }: Series,
  series: number,
  from: number,
  to: number,
  { spec, targets, scalers }: RunOptions,
): Run {
  const { features } = spec;
  const past = layoutPast(spec);
  const memory = new Float32Array(past.size);
  const frame = new Float32Array(features);
  const length = to - from;
  openPast(past, memory, 0, true);
  const width = inputSize(spec);
  const run: Run = {
    series,
    firstSlot: firstSlot + from,
    length,
    inputs: new Float32Array(length * width),
    targets: new Float32Array(length * targets.length),
    read: new Uint8Array(length * targets.length),
    widths: new Float32Array(length * targets.length),
  };
  for (let i = 0; i < length; i++) {
    const slot = run.firstSlot + i;
    for (let k = 0; k < features; k++) {
      const { mean, scale } = scalers[series][k];
      frame[k] = normalize(values[(from + i) * features + k], mean, scale);
    }
    if (i === 0) startPast(past, memory, 0, frame);
    else pushFrame(past, memory, 0, slot, frame);
    // the ring of a first frame is all alike, so its row of the ring can be read at once
    writeInputs(past, memory, 0, slot, run.inputs, i * width);
    targets.forEach((target, m) => {
      run.targets[i * targets.length + m] = newestValue(past, memory, 0, slot, target);
      writeWidth(memory, swingIndex(past, 0, target), run.widths, i * targets.length + m);
      run.read[i * targets.length + m] = Number.isNaN(frame[target]) ? 0 : 1;
    });
  }
  return run;
}
