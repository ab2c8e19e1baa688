import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { DemoSnapshot } from '../../src/cli/demo-snapshot.ts';
import { renderDemo, summarize } from '../../src/cli/demo-table.ts';
import type { StreamRow } from '../../src/dashboard/view.ts';

const timeMs = Date.UTC(2013, 9, 20, 6);

function row(stream: string, value: number | null, mae: number): StreamRow {
  const ahead = (steps: number, add: number) =>
    value === null ? [] : [{ steps, timeMs, value: value + add, low: null, high: null }];
  return {
    ...{ stream, timeMs, value, mae, n: 3, persistenceMae: 4, retained: false, health: 'warm' },
    forecast: [...ahead(1, -0.5), ...ahead(24, 10)],
  };
}

const snapshot: DemoSnapshot = {
  url: 'http://127.0.0.1:8080/',
  overview: {
    name: 'demo',
    model: {
      ...{ name: 'nyc-weather', version: '1.0.0', id: 'ab', kind: 'lstm 32, int8' },
      ...{ targets: ['temp'], periodMs: 3_600_000, horizons: [1, 24] },
    },
    broker: { address: '127.0.0.1:40123', state: 'connected', sinceMs: 0, reconnects: 0 },
    ...{ streams: 2, messagesPerSecond: 90.2, forecasts: 24, superseded: 0, refused: 0, waiting: 0 },
    stepUs: { p50: 7.25, p99: 20 },
    latencyMs: { p50: 0.2, p99: 1 },
    ...{ readings: { applied: 72 }, malformed: {}, shadow: null, replay: { done: 50, total: 100 } },
    error: { n: 6, mae: 3, persistenceMae: 4 },
  },
  rows: [row('EWR', 39, 3), row('JFK', null, 5)],
  ...{ ticks: 50, allTicks: 100, messages: 24, forecasts: 24 },
  roundTripMs: { p50: 0.51, p99: 3.2 },
};

describe('the live table', () => {
  test('shows every sensor with its value, forecasts and errors', () => {
    const lines = renderDemo(snapshot, { width: 100, color: false });
    const [header, ewr, jfk] = lines.slice(-5, -2);
    expect(header.split(/ {2,}/)).toEqual([
      ...['sensor', 'time (UTC)', 'temp', '+1h', '+24h', 'MAE', 'persistence', 'gain', 'health'],
    ]);
    expect(ewr.split(/ {2,}/)).toEqual([
      'EWR',
      '10-20 06:00',
      '39.0',
      '38.5',
      '49.0',
      '3.00',
      '4.00',
      '−25 %',
      'warm',
    ]);
    expect(jfk.split(/ {2,}/)).toEqual([
      'JFK',
      '10-20 06:00',
      '–',
      '–',
      '–',
      '5.00',
      '4.00',
      '+25 %',
      'warm',
    ]);
    expect(lines.join('\n')).toContain('mqtt://127.0.0.1:40123');
    expect(lines[0]).toBe('page        http://127.0.0.1:8080/ (Ctrl+C ends it)');
    expect(lines.join('\n')).toContain(
      '90 msg/s, step 7.3 µs p50, 20.0 p99, round trip 0.51 ms p50, 3.20 p99',
    );
    expect(lines.at(-1)).toBe(
      'temp +1h, +24h: mean absolute error 3.00, repeating the newest value 4.00 (−25 %)',
    );
  });

  test.each([20, 40, 79, 120])('never writes beyond %i columns, with colors or without', (width) => {
    const plain = renderDemo(snapshot, { width, color: false });
    const colored = renderDemo(snapshot, { width, color: true });
    expect(Math.max(...plain.map((line) => line.length))).toBeLessThanOrEqual(width);
    expect(colored.map((line) => stripVTControlCharacters(line))).toEqual(plain);
    expect(colored).not.toEqual(plain);
  });

  test('has a place for everything before anything has arrived', () => {
    const empty = {
      ...snapshot,
      rows: [],
      overview: { ...snapshot.overview, error: { n: 0, mae: null, persistenceMae: null } },
    };
    expect(renderDemo(empty, { width: 80, color: false }).length).toBeGreaterThan(5);
    expect(summarize(empty)).toBe('temp +1h, +24h: no target has arrived yet');
  });
});
