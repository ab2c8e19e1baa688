import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration, roundPeriod } from '../../src/signal/duration.ts';

describe('parseDuration', () => {
  test.each([
    ['1h', 3_600_000],
    ['5m', 300_000],
    ['30s', 30_000],
    ['1d', 86_400_000],
    ['250ms', 250],
    ['1.5 h', 5_400_000],
    [60_000, 60_000],
    ['60000', 60_000],
  ])('reads %j as %i ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test.each(['', 'h', '1 hour', '-1h', '0s', '1e3 s', 0, -5, 0.5, Number.NaN, '0.0001s'])(
    'refuses %j',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );
});

test.each([1, 250, 1000, 30_000, 90_000, 300_000, 3_600_000, 5_400_000, 86_400_000, 7 * 86_400_000])(
  'formatDuration(%i) is read back as the same',
  (milliseconds) => {
    expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
  },
);

test('formatDuration takes the largest unit that is exact', () => {
  expect([3_600_000, 90_000, 86_400_000, 1500].map(formatDuration)).toEqual(['1h', '90s', '1d', '1500ms']);
});

test.each<[string, number, string]>([
  ['a round period within 2 %', 1_010, '1s'],
  ['a round period within 2 %', 60_007, '1m'],
  ['a round period within 2 %', 294_200, '5m'],
  ['a round period within 2 %', 3_540_000, '1h'],
  ['a round period within 2 %', 86_000_000, '1d'],
  ['a round period within 2 %', 601_000_000, '7d'],
  ['whole minutes', 420_007, '7m'],
  ['whole minutes', 7 * 3_600_000 + 900, '7h'],
  ['whole seconds', 90_007, '90s'],
  ['whole seconds', 2_184_040, '2184s'],
  ['whole milliseconds', 3_400, '3400ms'],
  ['whole milliseconds', 61_300, '61300ms'],
  ['whole milliseconds', 40.4, '40ms'],
  ['whole milliseconds', 0.2, '1ms'],
])('roundPeriod finds %s: %d ms', (_, spacingMs, expected) => {
  expect(formatDuration(roundPeriod(spacingMs))).toBe(expected);
});
