/** Something that forecasts from the held values of a dataset's series. */
export interface Forecaster {
  readonly name: string;
  /** Writes out [M * N], target units, ordered (target, step): what it says at row `origin` of series number `series`. */
  forecast(series: number, origin: number, out: Float64Array): void;
}

/** What the baselines are asked for. */
export interface ForecastTask {
  /** Indices of features. */
  readonly targets: readonly number[];
  /** N: answers for steps 1..N. */
  readonly steps: number;
}
