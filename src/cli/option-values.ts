import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../signal/duration.ts';
import { longestTimerMs } from './turn.ts';

/** Readers of option values: what they throw is put behind the option's name. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

const longestSeconds = Math.floor(longestTimerMs / 1000);

export function timerSeconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= longestSeconds) return value;
  throw new InvalidArgumentError(`Expected a number above 0, at most ${longestSeconds} (24 days).`);
}

/** `a,b` and several options add up. */
export function nameList(text: string, before: readonly string[] = []): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.every((name) => name !== '')) return [...before, ...names];
  throw new InvalidArgumentError('Expected a column, or several with commas between them.');
}

/** `max` is Infinity. */
export function speed(text: string): number {
  const value = text === 'max' ? Number.POSITIVE_INFINITY : Number(text);
  if (text.trim() !== '' && value > 0 && (Number.isFinite(value) || text === 'max')) return value;
  throw new InvalidArgumentError('Expected a number above 0, or max.');
}

/** @returns milliseconds */
export function duration(text: string): number {
  const value = parseDuration(text);
  if (value !== undefined) return value;
  throw new InvalidArgumentError('Expected a duration such as 90s, 10m or 1h.');
}
