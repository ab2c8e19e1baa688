import type { Dataset, Split } from '../data/dataset.ts';
import { type Model, pointIndex } from '../model/model.ts';
import { walkSeries } from './stream-run.ts';

/** A forecast and its truth on the validation part, in raw units. */
export interface Pair {
  /** m * N + s - 1 */
  readonly row: number;
  readonly truth: number;
  /** What the model answered to one frame [O], and where the quantiles of this step begin there; the point's place. */
  readonly answers: Float32Array;
  readonly at: number;
  readonly point: number;
  /** Of the target in this stream. */
  readonly scale: number;
  /** The same beside the scale of a stream that is no channel. */
  readonly ratio: number;
}

type WritablePair = { -readonly [K in keyof Pair]: Pair[K] };

/** Streams every series through the model as it is served, and shows each pair of the validation part. The pair is
 * written over for the next one. */
export function visitPairs(model: Model, dataset: Dataset, split: Split, visit: (pair: Pair) => void): void {
  const { targets, steps, quantiles } = model.output;
  const { features: width, scalers, channels } = model.input;
  const count = Math.max(1, quantiles.length);
  const pair: WritablePair = {
    row: 0,
    truth: 0,
    answers: new Float32Array(0),
    at: 0,
    point: pointIndex(model.output),
    scale: 1,
    ratio: 1,
  };
  dataset.series.forEach(({ stream, values, firstSlot, length }, index) => {
    const channel = channels.indexOf(stream) + 1;
    const end = Math.min(length, split.validationEnd - firstSlot);
    walkSeries(model, dataset, index, (row, answers) => {
      if (row < split.trainEnd - firstSlot - 1) return;
      pair.answers = answers;
      targets.forEach((target, m) => {
        if (Number.isNaN(values[row * width + target])) return;
        pair.scale = scalers[2 * (channel * width + target) + 1];
        pair.ratio = pair.scale / scalers[2 * target + 1];
        for (let s = 1; s <= steps && row + s < end; s++) {
          pair.row = m * steps + s - 1;
          pair.truth = values[(row + s) * width + target];
          pair.at = pair.row * count;
          if (!Number.isNaN(pair.truth)) visit(pair);
        }
      });
    });
  });
}
