import { scaleLinear, scaleLog, scaleUtc } from 'd3-scale';
import { textWidth } from './svg.ts';

export type AxisKind = 'linear' | 'log' | 'time';

export interface Tick {
  readonly position: number;
  readonly text: string;
}

export interface Axis {
  /** The pixel of a value, NaN for what has no place on the axis. */
  at(value: number): number;
  readonly ticks: readonly Tick[];
}

export interface AxisOptions {
  readonly kind: AxisKind;
  /** Smallest and largest value. */
  readonly extent: readonly [low: number, high: number];
  readonly pixels: readonly [from: number, to: number];
  /** Round the ends outwards to ticks. */
  readonly nice?: boolean;
  /** About how many ticks. */
  readonly count: number;
  readonly ticks?: readonly number[] | undefined;
}

export const tickSize = 12;

export function createAxis(options: AxisOptions): Axis {
  const { kind, pixels, nice = false, count } = options;
  const [low, high] = widen(options);
  if (kind === 'time') {
    const scale = scaleUtc([low, high], pixels);
    const times = scale.ticks(count).map((date) => date.getTime());
    const format = timeFormat(times);
    return { at: (value) => scale(value), ticks: tickList(times, scale, format) };
  }
  if (kind === 'log') {
    const [from, to] = nice ? niceLog(low, high) : [low, high];
    const scale = scaleLog([from, to], pixels);
    const values = options.ticks ?? logTicks(from, to, count);
    const at = (value: number) => (value > 0 ? scale(value) : Number.NaN);
    return { at, ticks: tickList(values, scale, magnitudeFormat(values)) };
  }
  const scale = scaleLinear([low, high], pixels);
  if (nice) scale.nice(count);
  const values = options.ticks ?? scale.ticks(count);
  return { at: (value) => scale(value), ticks: tickList(values, scale, scale.tickFormat(count)) };
}

/** The smallest and largest finite value, or some range where there is none. */
export function extentOf(values: Iterable<number>, kind: AxisKind): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value) || (kind === 'log' && value <= 0)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low <= high) return [low, high];
  return kind === 'log' ? [0.1, 1] : [0, 1];
}

/** A constant gets room around it, so that it has a place in the middle. */
function widen({ kind, extent: [low, high] }: AxisOptions): [number, number] {
  if (high > low) return [low, high];
  if (kind === 'log') return [low / 2, high * 2];
  const room = kind === 'time' ? 3_600_000 : Math.abs(low) * 0.1 || 1;
  return [low - room, high + room];
}

function tickList(
  values: readonly number[],
  scale: (value: number) => number,
  format: (value: number) => string,
) {
  return values.map((value) => ({ position: scale(value), text: format(value) }));
}

/** 1, 2 and 5 times the powers of ten around a range, the nearest ones outside it included. */
function roundMagnitudes(low: number, high: number): number[] {
  const first = decimalParts(low).exponent - 1;
  const last = decimalParts(high).exponent + 1;
  const exponents = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  // from text, since 10 ** -7 is not 1e-7 everywhere
  return exponents.flatMap((exponent) => [1, 2, 5].map((factor) => Number(`${factor}e${exponent}`)));
}

function niceLog(low: number, high: number): [number, number] {
  const values = roundMagnitudes(low, high);
  const from = values.filter((value) => value <= low).at(-1) ?? low;
  return [from, values.find((value) => value >= high) ?? high];
}

/** Powers of ten; over less than two of them also 2 and 5. */
function logTicks(low: number, high: number, count: number): number[] {
  const inside = roundMagnitudes(low, high).filter((value) => value >= low && value <= high);
  const powers = inside.filter((value) => decimalParts(value).factor === 1);
  if (powers.length < 3) return inside;
  const step = Math.ceil(powers.length / count);
  return powers.filter((value) => decimalParts(value).exponent % step === 0);
}

/** Plain numbers while they are short, else powers of ten for all of them. */
function magnitudeFormat(values: readonly number[]): (value: number) => string {
  const parts = values.map(decimalParts);
  const isShort = parts.every(({ exponent }) => exponent >= -4 && exponent <= 5);
  return (value) => {
    const { factor, exponent } = decimalParts(value);
    if (isShort || value === 1) return String(Number(value.toPrecision(1)));
    const digits = [...String(exponent)].map((digit) => (digit === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]));
    return `${factor === 1 ? '' : `${factor}·`}10${digits.join('')}`;
  };
}

/** value = factor * 10^exponent */
function decimalParts(value: number): { readonly factor: number; readonly exponent: number } {
  const [factor, exponent] = value.toExponential(0).split('e').map(Number);
  return { factor, exponent };
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const dayMs = 86_400_000;

/** One format for all ticks, by their distance; UTC, since the data is. */
function timeFormat(times: readonly number[]): (timeMs: number) => string {
  const stepMs = times.length > 1 ? times[1] - times[0] : dayMs;
  const two = (value: number) => String(value).padStart(2, '0');
  return (timeMs) => {
    const date = new Date(timeMs);
    const month = months[date.getUTCMonth()];
    if (stepMs >= 360 * dayMs) return String(date.getUTCFullYear());
    if (stepMs >= 28 * dayMs) return `${month} ${date.getUTCFullYear()}`;
    if (timeMs % dayMs === 0) return `${date.getUTCDate()} ${month}`;
    const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
    return stepMs < 60_000 ? `${clock}:${two(date.getUTCSeconds())}` : clock;
  };
}

/** Every k-th tick, with the least k at which their texts stay apart. */
export function thinTicks(ticks: readonly Tick[], gap = 14): readonly Tick[] {
  for (let k = 1; k < ticks.length; k++) {
    const kept = ticks.filter((_, i) => i % k === 0);
    const fits = kept.every(({ position, text }, i) => {
      if (i === 0) return true;
      const before = kept[i - 1];
      const room = (textWidth(text, tickSize) + textWidth(before.text, tickSize)) / 2 + gap;
      return Math.abs(position - before.position) >= room;
    });
    if (fits) return kept;
  }
  return ticks.slice(0, 1);
}
