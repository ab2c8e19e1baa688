/** How much of its past a stream has seen since it last started cold. */
export type Health = 'cold' | 'warming' | 'warm' | 'stale';

/** The answer to one frame. The engine overwrites it at the next call for the same stream: copy what you keep. */
export interface Forecast {
  readonly kind: 'forecast';
  readonly stream: string;
  /** The time of the frame that it answers. */
  readonly timeMs: number;
  readonly health: Health;
  /** [M * N * Q] in target units, ordered (target, step, quantile). */
  readonly values: Float32Array;
  /** [M]: how much wider each target of this stream moves than the common scale of the training says; 1 for a stream of
   * the training without a scaler of its own. */
  readonly factors: Float32Array;
  /** The point forecast `step` frames ahead of the target at index `target` of the model's targets.
   * @throws RangeError for a step or target that the model does not have, as `low` and `high` do */
  at(step: number, target?: number): number;
  /** A level of the answer: one of the model's quantiles, or else of the residuals on validation around the point; NaN
   * where the model has neither. */
  quantile(level: number, step: number, target?: number): number;
  /** The lower end of the 80 % interval. */
  low(step: number, target?: number): number;
  /** The upper end of the 80 % interval. */
  high(step: number, target?: number): number;
}

/** A frame that got no forecast: its slot was stepped before (`late`), or the model (`output: last`) wants more frames. */
export interface NoForecast {
  readonly kind: 'late' | 'pending';
}

export type StepResult = Forecast | NoForecast;
