import type { Dataset, Series, Split } from '../data/dataset.ts';
import { fitFill } from '../signal/fill.ts';
import type { InputSpec } from '../signal/inputs.ts';
import { fitSpread } from '../signal/own-scale.ts';
import { normalize, type Scaler } from '../signal/scaler.ts';
import { splitAtGaps } from './runs.ts';

interface FitOptions {
  /** Frames. */
  readonly season: number;
  readonly gapLimit: number;
  /** [series][feature] */
  readonly scalers: readonly (readonly Scaler[])[];
}

/** A feature of which more is missing gives every feature an input that says so. */
const MASK_SHARE = 0.01;

/** What a network sees of missing values, by the training part: how they are filled, and whether it is told. */
export function fitInputs(
  dataset: Dataset,
  split: Split,
  { season, gapLimit, scalers }: FitOptions,
): Pick<InputSpec, 'season' | 'fill' | 'mask'> {
  const weights = dataset.features.map((_, k) => fitFill(trainingScores(dataset, split, scalers, k), season));
  const fills = weights.some(({ alpha, beta }) => alpha > 0 || beta > 0);
  return {
    season,
    mask: largestMissingShare(dataset, split, gapLimit) > MASK_SHARE,
    ...(fills && { fill: Float32Array.from(weights.flatMap(({ alpha, beta }) => [alpha, beta])) }),
  };
}

/** Names of more streams than a file holds are of no use: whatever comes is like one of them. */
const MOST_STREAMS = 10_000;

/** How much the streams of the training move, and which they are where they are no channels: what any other one learns
 * its scale by. */
export function fitStreams(
  dataset: Dataset,
  split: Split,
  { scalers, channels }: Pick<FitOptions, 'scalers'> & { readonly channels: readonly string[] },
): Pick<InputSpec, 'spread'> & { readonly streams?: ReadonlySet<string> } {
  if (dataset.series.length > MOST_STREAMS) return {};
  const spread = dataset.features.map((_, k) => fitSpread(trainingScores(dataset, split, scalers, k)));
  return {
    spread: Float32Array.from(spread),
    ...(channels.length === 0 && { streams: new Set(dataset.series.map(({ stream }) => stream)) }),
  };
}

/** z-scores of one feature in the training part, as a stream takes them: one array a series. */
function trainingScores(
  { features, series }: Dataset,
  { start, trainEnd }: Split,
  scalers: readonly (readonly Scaler[])[],
  feature: number,
): Float32Array[] {
  return series.map(({ values, firstSlot, length }, i) => {
    const from = Math.max(0, start - firstSlot);
    const { mean, scale } = scalers[i][feature];
    return Float32Array.from(
      { length: Math.max(0, Math.min(length, trainEnd - firstSlot) - from) },
      (_, row) => normalize(values[(from + row) * features.length + feature], mean, scale),
    );
  });
}

/** Over the features, of the values between two cold starts: longer gaps are seen by no network. */
function largestMissingShare({ features, series }: Dataset, { trainEnd }: Split, gapLimit: number): number {
  const width = features.length;
  const missing = new Float64Array(width);
  let count = 0;
  for (const one of series) {
    for (const [from, to] of splitAtGaps(one, gapLimit)) {
      const end = Math.min(to, trainEnd - one.firstSlot);
      for (let row = from; row < end; row++) countMissing(one, row, missing);
      count += Math.max(0, end - from);
    }
  }
  return Math.max(...missing) / Math.max(1, count);
}

function countMissing({ values }: Series, row: number, missing: Float64Array): void {
  const width = missing.length;
  for (let k = 0; k < width; k++) if (Number.isNaN(values[row * width + k])) missing[k]++;
}
