import { describe, expect, test } from 'vitest';
import { calmRange } from '../../src/dashboard/page/calm-range.ts';
import { chartData, lonelyPoints } from '../../src/dashboard/page/chart-data.ts';
import { horizonIndex, queryOf, readChoice, writeChoice } from '../../src/dashboard/page/choice.ts';
import {
  decimalsFor,
  formatClock,
  formatElapsed,
  formatInterval,
  formatMicroseconds,
  formatMilliseconds,
  formatNumber,
  formatPercent,
  formatSpan,
  formatTime,
  formatTo,
  formatWholeTime,
  gainOver,
} from '../../src/dashboard/page/format.ts';
import type { StreamDetail } from '../../src/dashboard/view.ts';

/** With plain spaces, so that the tests can be read. */
const plain = (text: string) => text.replaceAll(/[\u00a0\u202f]/g, ' ');

describe('numbers', () => {
  test.each([
    [null, '–'],
    [0, '0'],
    [38.4, '38.4'],
    [1012.34, '1,012.3'],
    [2.738, '2.74'],
    [0.00123, '0.00123'],
    [-3.25, '−3.25'],
    [123_456.7, '123,457'],
    [1e15, '1.00e+15'],
    [-1e-9, '−1.00e−9'],
  ])('%d is %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  test('side by side have as many decimals as the largest', () => {
    expect(decimalsFor([9.87, null, 11.6])).toBe(1);
    expect(formatTo(9.87, 1)).toBe('9.9');
    expect(decimalsFor([])).toBe(0);
  });

  test('that round to zero have no sign', () => {
    expect(formatTo(-0.04, 1)).toBe('0.0');
  });

  test('make an interval that no minus sign can spoil', () => {
    expect(formatInterval(36.9, 40.1, 1)).toBe('36.9–40.1');
    expect(formatInterval(-3.2, 1.4, 1)).toBe('−3.2 to 1.4');
    expect(formatInterval(null, 1, 1)).toBe('');
  });

  test('of a speed are brief', () => {
    const micro = [4.125, 12.25, 0.5, 1_234, null].map((us) => plain(formatMicroseconds(us)));
    expect(micro).toEqual(['4.1 µs', '12 µs', '0.50 µs', '1.2 ms', '–']);
    expect(plain(formatMilliseconds(2_500))).toBe('2.5 s');
    expect(plain(formatPercent(0.312))).toBe('31 %');
  });

  test('are better, worse or level beside persistence', () => {
    const texts = [gainOver(2.74, 3.98), gainOver(5, 4), gainOver(4, 4.01)].map((gain) =>
      plain(gain?.text ?? ''),
    );
    expect(texts).toEqual(['31 % better', '25 % worse', 'level']);
    expect([gainOver(null, 1), gainOver(1, null), gainOver(1, 0)]).toEqual([null, null, null]);
  });
});

describe('times', () => {
  const timeMs = Date.UTC(2013, 9, 14, 6);

  test('are UTC, with seconds where they have some', () => {
    expect(formatTime(timeMs)).toBe('Oct 14, 06:00');
    expect(formatWholeTime(timeMs)).toBe('Mon, Oct 14, 2013, 06:00 UTC');
    expect(formatClock(timeMs + 7_000)).toBe('06:00:07');
    expect(formatTime(Number.NaN)).toBe('–');
  });

  test.each([
    [3_600_000, '1 h'],
    [86_400_000, '24 h'],
    [7 * 86_400_000, '7 d'],
    [90_000, '90 s'],
    [900_000, '15 min'],
    [250, '250 ms'],
  ])('a span of %d ms is %s', (ms, text) => {
    expect(plain(formatSpan(ms))).toBe(text);
  });

  test('pass coarsely', () => {
    expect([400, 12_900, 130_000, 7_200_000].map((ms) => plain(formatElapsed(ms)))).toEqual([
      '0 s',
      '12 s',
      '2 min',
      '2 h',
    ]);
  });
});

describe('the value axis', () => {
  test('takes round ends around the data', () => {
    expect(calmRange(null, 35.2, 61.7)).toEqual({ min: 30, max: 65 });
    expect(calmRange(null, 5, 5)).toEqual({ min: 4, max: 6 });
  });

  test('stays while the data fits, grows at once, and shrinks when the data has become small', () => {
    const first = calmRange(null, 35, 61);
    expect(calmRange(first, 38, 60)).toBe(first);
    expect(calmRange(first, 38, 70).max).toBeGreaterThan(70);
    expect(calmRange(first, 50, 55).max).toBeLessThan(60);
  });
});

describe('the data of the chart', () => {
  const point = (timeMs: number, value: number | null) => ({ timeMs, value, forecast: [value, 9] });
  const detail: StreamDetail = {
    stream: 'a',
    target: 'temp',
    health: 'warm',
    history: [point(1_000, 1), point(2_000, null), point(3_000, 3)],
    fan: [{ steps: 1, timeMs: 4_000, value: 4, low: 3, high: 5 }],
    errors: [],
  };

  test('joins what was and what is to come at the newest value', () => {
    expect(chartData(detail, 0, 10)).toEqual({
      times: [1, 2, 3, 4],
      measured: [1, null, 3, null],
      earlier: [1, null, 3, null],
      ahead: [null, null, 3, 4],
      low: [null, null, 3, 3],
      high: [null, null, 3, 5],
      now: 2,
    });
  });

  test('shows only the newest frames, and copes with none', () => {
    expect(chartData(detail, 1, 2)).toMatchObject({ times: [2, 3, 4], earlier: [9, 9, null], now: 1 });
    expect(chartData({ ...detail, history: [], fan: [] }, 0, 2)).toMatchObject({ times: [], now: -1 });
    expect(chartData({ ...detail, history: [] }, 0, 2)).toMatchObject({ times: [4], ahead: [4], now: -1 });
    expect(chartData({ ...detail, fan: [] }, 0, 9)).toMatchObject({ ahead: [null, null, null], now: 2 });
  });

  test('marks points that no line would show', () => {
    expect(lonelyPoints([1, null, 3, 4, null, undefined, 5])).toEqual([0, 6]);
  });
});

describe('the address', () => {
  test('carries the choice, and nothing for what everybody sees first', () => {
    const choice = { stream: 'a b/ü&<>', filter: 'x=y', target: 2, horizon: 6 };
    expect(readChoice(writeChoice(choice))).toEqual(choice);
    expect(writeChoice(readChoice(''))).toBe('');
    expect(queryOf(choice)).not.toContain('horizon');
    expect(readChoice('?target=-1&horizon=x')).toMatchObject({ target: 0, horizon: 0 });
  });

  test('of a horizon that the model has not shows the middle one', () => {
    expect([horizonIndex([1, 6, 24], 24), horizonIndex([1, 6, 24], 7), horizonIndex([], 1)]).toEqual([
      2, 1, 0,
    ]);
  });
});
