import type { Dataset, Split } from '../data/dataset.ts';
import { fitFill } from '../signal/fill.ts';
import type { InputSpec } from '../signal/inputs.ts';
import { fitSpread } from '../signal/own-scale.ts';
import { normalize, type Scaler } from '../signal/scaler.ts';

/** [series][feature] */
type Scalers = readonly (readonly Scaler[])[];

/** How missing values are filled, by the training part: [F, 2]; none where all features are better held.
 * @param season frames */
export function fitFills(
  dataset: Dataset,
  split: Split,
  { season, scalers }: { readonly season: number; readonly scalers: Scalers },
): Pick<InputSpec, 'fill'> {
  const weights = dataset.features.map((_, k) => fitFill(trainingScores(dataset, split, scalers, k), season));
  if (weights.every(({ alpha, beta }) => alpha === 0 && beta === 0)) return {};
  return { fill: Float32Array.from(weights.flatMap(({ alpha, beta }) => [alpha, beta])) };
}

/** Names of more streams than a file holds are of no use: whatever comes is like one of them. */
const MOST_STREAMS = 10_000;

/** Read steps that a scale follows from. */
const LEAST_STEPS = 16;

/** How much the streams of the training move, and which of them did so there, unless they are just the channels: what any
 * other one learns its scale by. */
export function fitStreams(
  dataset: Dataset,
  split: Split,
  { scalers, channels }: { readonly scalers: Scalers; readonly channels: readonly string[] },
): Pick<InputSpec, 'spread'> & { readonly streams?: ReadonlySet<string> } {
  if (dataset.series.length > MOST_STREAMS) return {};
  const scores = dataset.features.map((_, k) => trainingScores(dataset, split, scalers, k));
  const streams = dataset.series
    .filter((_, i) => scores.some((series) => hasMoved(series[i])))
    .map(({ stream }) => stream);
  return {
    spread: Float32Array.from(scores, fitSpread),
    ...(channels.length !== streams.length && { streams: new Set(streams) }),
  };
}

function hasMoved(series: Float32Array): boolean {
  const steps = series.filter((z, t) => t > 0 && !Number.isNaN(z - series[t - 1])).length;
  return steps >= LEAST_STEPS && fitSpread([series]) > 0;
}

/** z-scores of one feature in the training part, as a stream takes them: one array a series. */
function trainingScores(
  { features, series }: Dataset,
  { start, trainEnd }: Split,
  scalers: Scalers,
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
