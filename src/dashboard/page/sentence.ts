import type { StreamDetail } from '../view.ts';
import type { ChartData } from './chart-data.ts';
import {
  decimalsFor,
  formatInterval,
  formatNumber,
  formatTime,
  formatTo,
  formatWholeTime,
} from './format.ts';

/** The chart in words. */
export function describeStream(
  { stream, target, history, fan }: StreamDetail,
  steps: number,
  label: string,
): string {
  const newest = history.at(-1);
  const point = fan.find((each) => each.steps === steps);
  const decimals = decimalsFor([newest?.value ?? null, point?.value ?? null]);
  const value = newest?.value ?? null;
  const read = value === null ? 'no value' : formatTo(value, decimals);
  const now = newest ? `${read} at ${formatWholeTime(newest.timeMs)}` : 'no live reading yet';
  if (!point) return `${stream}, ${target}: ${now}. No forecast yet.`;
  const interval = formatInterval(point.low, point.high, decimals).replace('–', ' to ');
  const likely = interval ? `, with 80 % probability ${interval}` : '';
  return `${stream}, ${target}: ${now}. Forecast for ${label} ahead: ${formatTo(point.value, decimals)}${likely}.`;
}

/** One time of the chart in words. */
export function describePoint({ times, measured, earlier, ahead, now }: ChartData, index: number): string {
  const time = formatTime(times[index] * 1_000);
  const say = (value: number | null | undefined) => formatNumber(value ?? null);
  return index > now
    ? `${time}, forecast ${say(ahead[index])}`
    : `${time}, measured ${say(measured[index])}, had been forecast ${say(earlier[index])}`;
}
