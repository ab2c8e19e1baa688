import type { StreamDetail } from '../view.ts';

type Values = (number | null)[];

/** Columns over the same times: what the chart draws, and what its legend reads. */
export interface ChartData {
  /** Seconds. */
  readonly times: number[];
  readonly measured: Values;
  /** What was forecast for these times, one horizon earlier. */
  readonly earlier: Values;
  /** From the newest frame on; begins at what was measured, so that the lines meet. */
  readonly ahead: Values;
  readonly low: Values;
  readonly high: Values;
  /** Index of the newest frame, -1 when there is none. */
  readonly now: number;
}

/** `horizon` is an index in the model's horizons; of the history, the newest `longest` frames are shown. */
export function chartData({ history: all, fan }: StreamDetail, horizon: number, longest: number): ChartData {
  const history = all.slice(-longest);
  const now = history.length - 1;
  const newest = now >= 0 ? history[now].value : null;
  const hasInterval = fan.some(({ low, high }) => low !== null && high !== null);
  const start = fan.length > 0 ? newest : null;
  const before: Values = history.slice(0, -1).map(() => null);
  const anchor = (value: number | null): Values => (now >= 0 ? [...before, value] : []);
  const blank: Values = fan.map(() => null);
  return {
    times: [...history, ...fan].map(({ timeMs }) => timeMs / 1_000),
    measured: [...history.map(({ value }) => value), ...blank],
    earlier: [...history.map(({ forecast }) => forecast[horizon] ?? null), ...blank],
    ahead: [...anchor(start), ...fan.map(({ value }) => value)],
    low: [...anchor(hasInterval ? start : null), ...fan.map(({ low }) => low)],
    high: [...anchor(hasInterval ? start : null), ...fan.map(({ high }) => high)],
    now,
  };
}

/** Points without a neighbor, which a line would not show. */
export function lonelyPoints(values: readonly (number | null | undefined)[]): number[] {
  const isMissing = (index: number) => (values[index] ?? null) === null;
  return [...values.keys()].filter(
    (index) => !isMissing(index) && isMissing(index - 1) && isMissing(index + 1),
  );
}
