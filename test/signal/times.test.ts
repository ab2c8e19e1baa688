import { expect, test } from 'vitest';
import { formatTime, largestTimeMs, parseEpochMs, parseTimeMs } from '../../src/signal/times.ts';

test('times are written in UTC, with milliseconds only where there are any', () => {
  expect(formatTime(Date.UTC(2013, 0, 1, 6))).toBe('2013-01-01T06:00:00Z');
  expect(formatTime(Date.UTC(2013, 0, 1, 6) + 5)).toBe('2013-01-01T06:00:00.005Z');
});

test('a time that no Date can hold is no time', () => {
  expect(formatTime(parseEpochMs(largestTimeMs))).toBe('9999-12-31T23:59:59.999Z');
  expect(parseEpochMs(largestTimeMs + 1)).toBeNaN();
  expect(parseTimeMs(String(largestTimeMs + 1))).toBeNaN();
});
