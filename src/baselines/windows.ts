import type { HeldValues } from '../data/held.ts';
import { normalize, type Scaler } from '../signal/scaler.ts';
import type { ForecastTask } from './forecaster.ts';
import { addWindow, emptyMoments, type Moments, mirrorMoments, slidingMoments } from './moments.ts';

/** Rows from <= row < to. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What one linear map is asked about: the windows that answer for one target of one series, or for all targets. */
export interface Channel {
  readonly series: number;
  /** Indices into the task's targets. */
  readonly targets: readonly number[];
  /** L: values looked at, the newest included. */
  readonly window: number;
  /** The moments of the windows with these newest rows. */
  moments(newest: Range): Moments;
  /** Writes x [D] of the window with newest row `origin`. */
  writeInputs(origin: number, x: Float64Array): void;
  /** Writes y [R], the increments after it. */
  writeAnswers(origin: number, y: Float64Array): void;
}

export interface ChannelOptions extends ForecastTask {
  readonly held: HeldValues;
  /** [series][feature] */
  readonly scalers: readonly (readonly Scaler[])[];
  /** L: values looked at, the newest included. */
  readonly window: number;
}

/** A channel a series and target that looks at its own past: x_j = z[t-j] - z[t], j = 1..L-1. */
export function ownChannels(options: ChannelOptions): Channel[] {
  const { held, targets, steps, window } = options;
  return held.flatMap((_, series) =>
    targets.map((feature, m) => {
      const z = padSeries(options, series, feature);
      const offset = window - 1;
      return {
        series,
        targets: [m],
        window,
        moments: ({ from, to }: Range) =>
          slidingMoments(z, { start: offset + from, count: to - from, window, steps }),
        writeInputs(origin: number, x: Float64Array) {
          const newest = offset + origin;
          for (let j = 1; j < window; j++) x[j - 1] = z[newest - j] - z[newest];
        },
        writeAnswers(origin: number, y: Float64Array) {
          const newest = offset + origin;
          for (let s = 1; s <= steps; s++) y[s - 1] = z[newest + s] - z[newest];
        },
      };
    }),
  );
}

/** A channel a series that looks at all features: those differences of each of them, then the newest z-scores. */
export function allChannels(options: ChannelOptions): Channel[] {
  const { held, targets, steps, window } = options;
  return held.map((features, series) => {
    const all = features.map((_, k) => padSeries(options, series, k));
    const offset = window - 1;
    const inputs = all.length * window;
    const writeInputs = (origin: number, x: Float64Array) => {
      const newest = offset + origin;
      let position = 0;
      for (const z of all) {
        for (let j = 1; j < window; j++) x[position++] = z[newest - j] - z[newest];
      }
      for (const z of all) x[position++] = z[newest];
    };
    const writeAnswers = (origin: number, y: Float64Array) => {
      const newest = offset + origin;
      targets.forEach((k, m) => {
        for (let s = 1; s <= steps; s++) y[m * steps + s - 1] = all[k][newest + s] - all[k][newest];
      });
    };
    const moments = ({ from, to }: Range) => {
      const total = emptyMoments(inputs, targets.length * steps);
      const x = new Float64Array(total.inputs);
      const y = new Float64Array(total.outputs);
      for (let origin = from; origin < to; origin++) {
        writeInputs(origin, x);
        writeAnswers(origin, y);
        addWindow(total, x, y);
      }
      mirrorMoments(total);
      return total;
    };
    return { series, targets: targets.map((_, m) => m), window, moments, writeInputs, writeAnswers };
  });
}

/** The z-scores of one feature of one series, its first value repeated before it and its last one after it. */
function padSeries(
  { held, scalers, window, steps }: ChannelOptions,
  series: number,
  feature: number,
): Float64Array {
  const values = held[series][feature];
  const { mean, scale } = scalers[series][feature];
  const before = window - 1;
  return Float64Array.from({ length: before + values.length + steps }, (_, i) => {
    const row = Math.min(values.length - 1, Math.max(0, i - before));
    return normalize(values[row], mean, scale);
  });
}
