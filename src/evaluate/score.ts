import type { Dataset, Part, Series, Split } from '../data/dataset.ts';
import { partRange } from '../data/split.ts';

/** Errors over pairs of forecast and truth, in target units. */
export interface Metrics {
  readonly mse: number;
  readonly mae: number;
  readonly rmse: number;
  /** mae / the training MAE of one-step persistence; absent when that is 0 or unknown. */
  readonly mase?: number;
  /** The share of truths inside the 80 % interval, and its interval score (Winkler 1972): the width, plus ten times
   * what the truth is outside of it. Absent when there were no intervals, as the following. */
  readonly coverage80?: number;
  readonly winkler80?: number;
  /** The mean pinball loss over the levels. */
  readonly pinball?: number;
  /** Twice the mean pinball loss: the continuous ranked probability score as the levels see it, not its integral. */
  readonly crps?: number;
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
  /** Q levels of the quantiles that come with forecasts. */
  readonly levels?: readonly number[];
  /** [series], each [length]: 1 at the rows that count as origins; all of them when absent. */
  readonly origins?: readonly Uint8Array[] | undefined;
}

export interface Scorer {
  /** Scores the forecast made at row `origin` of a series; what lies outside the part or was never read is passed over.
   * @param forecast [M * N], target units, ordered (target, step)
   * @param quantiles [M * N * Q], ordered (target, step, level) */
  add(series: number, origin: number, forecast: ArrayLike<number>, quantiles?: ArrayLike<number>): void;
  score(): Score;
}

/** Sums of errors. */
interface Tally {
  pairs: number;
  squares: number;
  absolutes: number;
  /** Pairs that came with quantiles, and the sum of their mean pinball losses. */
  quantiled: number;
  pinballs: number;
  /** Those inside the interval, and the sum of interval scores. */
  inside: number;
  winklers: number;
}

interface HorizonTally {
  origins: number;
  readonly upTo: Tally;
  readonly at: Tally;
}

const emptyTally = (): Tally => ({
  ...{ pairs: 0, squares: 0, absolutes: 0 },
  ...{ quantiled: 0, pinballs: 0, inside: 0, winklers: 0 },
});

/** The ends of the 80 % interval. */
const [LOW, HIGH] = [0.1, 0.9];

export function createScorer(options: ScoreOptions): Scorer {
  const { dataset, split, part, targets, steps, horizons, levels = [], origins } = options;
  const features = dataset.features.length;
  const { from, to } = partRange(split, part);
  const perSeries = dataset.series.map(() =>
    horizons.map((): HorizonTally => ({ origins: 0, upTo: emptyTally(), at: emptyTally() })),
  );

  return {
    add(index, origin, forecast, quantiles) {
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
            for (const own of s === h ? [tally.upTo, tally.at] : [tally.upTo]) {
              addPair(own, truth, forecast[o]);
              if (quantiles) addQuantiles(own, truth, levels, quantiles, o * levels.length);
            }
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

function addPair(tally: Tally, truth: number, forecast: number): void {
  const error = truth - forecast;
  tally.pairs++;
  tally.squares += error * error;
  tally.absolutes += Math.abs(error);
}

/** @param at where the quantiles of this pair begin */
function addQuantiles(
  tally: Tally,
  truth: number,
  levels: readonly number[],
  quantiles: ArrayLike<number>,
  at: number,
): void {
  let pinball = 0;
  levels.forEach((level, q) => {
    const error = truth - quantiles[at + q];
    pinball += error < 0 ? (level - 1) * error : level * error;
  });
  tally.quantiled++;
  tally.pinballs += pinball / levels.length;
  const low = quantiles[at + levels.indexOf(LOW)];
  const high = quantiles[at + levels.indexOf(HIGH)];
  if (low <= truth && truth <= high) tally.inside++;
  // 2 / 0.2 times what is outside
  tally.winklers += high - low + 10 * (Math.max(0, low - truth) + Math.max(0, truth - high));
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
    total.quantiled += tally.quantiled;
    total.pinballs += tally.pinballs;
    total.inside += tally.inside;
    total.winklers += tally.winklers;
  }
  return total;
}

function toMetrics(tally: Tally, naiveMae: number): Metrics {
  const { pairs, squares, absolutes, quantiled } = tally;
  const mse = squares / pairs;
  const mae = absolutes / pairs;
  return {
    mse,
    mae,
    rmse: Math.sqrt(mse),
    ...(naiveMae > 0 && { mase: mae / naiveMae }),
    ...(quantiled > 0 && {
      coverage80: tally.inside / quantiled,
      winkler80: tally.winklers / quantiled,
      pinball: tally.pinballs / quantiled,
      crps: (2 * tally.pinballs) / quantiled,
    }),
  };
}
