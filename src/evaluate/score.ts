import type { Dataset, Part, Series, Split } from '../data/dataset.ts';
import { partRange } from '../data/split.ts';

/** Errors over pairs of forecast and truth, in target units. */
export interface Metrics {
  readonly mse: number;
  readonly mae: number;
  readonly rmse: number;
  /** mae / the training MAE of one-step persistence; absent when that is 0 or unknown. */
  readonly mase?: number;
  /** The share of truths inside the 80 % interval; absent when there were no intervals. */
  readonly coverage80?: number;
}

/** All maps are keyed by h as a string; an h without a single pair has no metrics. */
export interface StreamScore {
  /** Origins. */
  readonly n: Record<string, number>;
  /** Over the pairs of steps 1..h. */
  readonly horizons: Record<string, Metrics>;
  /** Over the pairs of step h alone. */
  readonly at: Record<string, Metrics>;
}

export interface Score extends StreamScore {
  /** By name; the score above them is over all their pairs together. */
  readonly streams: Record<string, StreamScore>;
}

export interface ScoreOptions {
  readonly dataset: Dataset;
  readonly split: Split;
  readonly part: Part;
  /** Indices of features. */
  readonly targets: readonly number[];
  /** N: forecasts are [M * N]. */
  readonly steps: number;
  /** The h that are reported. */
  readonly horizons: readonly number[];
  /** [series], each [length]: 1 at the rows that count as origins; all of them when absent. */
  readonly origins?: readonly Uint8Array[] | undefined;
}

export interface Scorer {
  /** Scores the forecast made at row `origin` of a series; what lies outside the part or was never read is passed over.
   * @param forecast [M * N], target units, ordered (target, step) */
  add(
    series: number,
    origin: number,
    forecast: ArrayLike<number>,
    low?: ArrayLike<number>,
    high?: ArrayLike<number>,
  ): void;
  score(): Score;
}

/** Sums of errors. */
interface Tally {
  pairs: number;
  squares: number;
  absolutes: number;
  /** Pairs that came with an interval, and those inside it. */
  intervals: number;
  inside: number;
}

interface HorizonTally {
  origins: number;
  readonly upTo: Tally;
  readonly at: Tally;
}

const emptyTally = (): Tally => ({ pairs: 0, squares: 0, absolutes: 0, intervals: 0, inside: 0 });

export function createScorer(options: ScoreOptions): Scorer {
  const { dataset, split, part, targets, steps, horizons, origins } = options;
  const features = dataset.features.length;
  const { from, to } = partRange(split, part);
  const perSeries = dataset.series.map(() =>
    horizons.map((): HorizonTally => ({ origins: 0, upTo: emptyTally(), at: emptyTally() })),
  );

  return {
    add(index, origin, forecast, low, high) {
      if (origins?.[index][origin] === 0) return;
      const { values, length, firstSlot } = dataset.series[index];
      const slot = firstSlot + origin;
      horizons.forEach((h, i) => {
        // steps 1..h lie inside the part
        if (slot + 1 < from || slot + h >= to) return;
        const tally = perSeries[index][i];
        let isOrigin = false;
        for (let m = 0; m < targets.length; m++) {
          if (Number.isNaN(values[origin * features + targets[m]])) continue;
          isOrigin = true;
          for (let s = 1; s <= Math.min(h, length - 1 - origin); s++) {
            const truth = values[(origin + s) * features + targets[m]];
            if (Number.isNaN(truth)) continue;
            const o = m * steps + s - 1;
            addPair(tally.upTo, truth, forecast[o], low?.[o], high?.[o]);
            if (s === h) addPair(tally.at, truth, forecast[o], low?.[o], high?.[o]);
          }
        }
        if (isOrigin) tally.origins++;
      });
    },

    score() {
      const naive = dataset.series.map((series) => tallyPersistence(series, split, targets));
      const streams = dataset.series.map(({ stream }, i) => {
        return [stream, summarize([perSeries[i]], horizons, [naive[i]])] as const;
      });
      return { ...summarize(perSeries, horizons, naive), streams: Object.fromEntries(streams) };
    },
  };
}

function addPair(tally: Tally, truth: number, forecast: number, low?: number, high?: number): void {
  const error = truth - forecast;
  tally.pairs++;
  tally.squares += error * error;
  tally.absolutes += Math.abs(error);
  if (low === undefined || high === undefined) return;
  tally.intervals++;
  if (low <= truth && truth <= high) tally.inside++;
}

/** One-step persistence on the training part: what MASE measures errors in. */
function tallyPersistence(series: Series, { start, trainEnd }: Split, targets: readonly number[]): Tally {
  const { values, length, firstSlot } = series;
  const features = values.length / length;
  const tally = emptyTally();
  const to = Math.min(length, trainEnd - firstSlot);
  for (let row = Math.max(0, start - firstSlot) + 1; row < to; row++) {
    for (const k of targets) {
      const truth = values[row * features + k];
      const before = values[(row - 1) * features + k];
      if (!Number.isNaN(truth) && !Number.isNaN(before)) addPair(tally, truth, before);
    }
  }
  return tally;
}

function summarize(
  perSeries: readonly (readonly HorizonTally[])[],
  horizons: readonly number[],
  naive: readonly Tally[],
): StreamScore {
  const naiveTotal = sumTallies(naive);
  const naiveMae = naiveTotal.absolutes / naiveTotal.pairs;
  const score: StreamScore = { n: {}, horizons: {}, at: {} };
  horizons.forEach((h, i) => {
    const tallies = perSeries.map((series) => series[i]);
    score.n[h] = tallies.reduce((sum, { origins }) => sum + origins, 0);
    const upTo = sumTallies(tallies.map((tally) => tally.upTo));
    const at = sumTallies(tallies.map((tally) => tally.at));
    if (upTo.pairs > 0) score.horizons[h] = toMetrics(upTo, naiveMae);
    if (at.pairs > 0) score.at[h] = toMetrics(at, naiveMae);
  });
  return score;
}

function sumTallies(tallies: readonly Tally[]): Tally {
  const total = emptyTally();
  for (const tally of tallies) {
    total.pairs += tally.pairs;
    total.squares += tally.squares;
    total.absolutes += tally.absolutes;
    total.intervals += tally.intervals;
    total.inside += tally.inside;
  }
  return total;
}

function toMetrics({ pairs, squares, absolutes, intervals, inside }: Tally, naiveMae: number): Metrics {
  const mse = squares / pairs;
  const mae = absolutes / pairs;
  return {
    mse,
    mae,
    rmse: Math.sqrt(mse),
    ...(naiveMae > 0 && { mase: mae / naiveMae }),
    ...(intervals > 0 && { coverage80: inside / intervals }),
  };
}
