import fc from 'fast-check';
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

const anyMs = fc.integer({ min: -62e12, max: largestTimeMs });
const anySecond = anyMs.map((timeMs) => Math.floor(timeMs / 1000) * 1000);

test('every time is written as a Date writes it', () => {
  const days = Array.from({ length: 400 * 366 }, (_, day) => day * 86_400_000);
  for (const timeMs of days) {
    const last = timeMs + 86_399_000;
    expect(formatTime(last)).toBe(new Date(last).toISOString().replace('.000Z', 'Z'));
  }
  const property = fc.property(fc.oneof(anyMs, anySecond), (timeMs) => {
    expect(formatTime(timeMs)).toBe(new Date(timeMs).toISOString().replace('.000Z', 'Z'));
  });
  fc.assert(property, { numRuns: 5000 });
});

test('every time that is written reads back', () => {
  fc.assert(
    fc.property(fc.oneof(anyMs, anySecond), (timeMs) => {
      // two digits of a year would be taken for one of 1900
      fc.pre(timeMs >= Date.UTC(100, 0));
      expect(parseTimeMs(formatTime(timeMs))).toBe(timeMs);
    }),
    { numRuns: 5000 },
  );
});

test('the usual form is read as strictly as the others: a space for the T changes nothing', () => {
  const digits = (count: number) =>
    fc.integer({ min: 0, max: 10 ** count - 1 }).map((value) => String(value).padStart(count, '0'));
  const character = fc.constantFrom(...'0123456789-:/T Z.a', '\u0663');
  const form = fc.tuple(
    digits(4),
    digits(2),
    digits(2),
    digits(2),
    digits(2),
    digits(2),
    fc.nat(25),
    character,
  );
  let times = 0;
  fc.assert(
    fc.property(form, ([year, month, day, hour, minute, second, at, found]) => {
      const text = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
      const changed = at < text.length ? text.slice(0, at) + found + text.slice(at + 1) : text;
      if (changed[10] !== 'T') return;
      const timeMs = parseTimeMs(changed);
      expect(timeMs).toBe(parseTimeMs(`${changed.slice(0, 10)} ${changed.slice(11)}`));
      if (!Number.isNaN(timeMs)) times++;
    }),
    { numRuns: 30_000, seed: 1 },
  );
  expect(times).toBeGreaterThan(50);
  for (let day = 0; day < 32; day++) {
    for (let month = 0; month < 14; month++) {
      for (const year of ['1969', '1999', '2000', '2024', '2100']) {
        const date = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
        expect(parseTimeMs(`${date}T06:00:00Z`)).toBe(parseTimeMs(`${date} 06:00:00Z`));
      }
    }
  }
});
