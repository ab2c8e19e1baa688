import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { DemoSnapshot, StreamSnapshot } from '../../src/cli/demo-snapshot.ts';
import { renderDemo, summarize } from '../../src/cli/demo-table.ts';

function stream(name: string, value: number, mae: number): StreamSnapshot {
  const ahead = new Map([
    [1, value - 0.5],
    [24, value + 10],
  ]);
  const timeMs = Date.UTC(2013, 9, 20, 6);
  return { stream: name, timeMs, value, ahead, messages: 12, n: 3, mae, persistenceMae: 4 };
}

const snapshot: DemoSnapshot = {
  url: 'mqtt://127.0.0.1:40123',
  model: 'nyc-weather 1.0.0, lstm 32, int8',
  target: 'temp',
  horizons: [1, 24],
  periodMs: 3_600_000,
  streams: [stream('EWR', 39, 3), stream('JFK', Number.NaN, 5)],
  ticks: 50,
  allTicks: 100,
  messages: 24,
  forecasts: 24,
  rate: 90.2,
  stepUsP50: 7.25,
  stepUsP99: 20,
  latencyMsP50: 0.51,
  latencyMsP99: 3.2,
  counters: { applied: 72, merged: 0, duplicate: 0, late: 0, retained: 0, malformed: 0, overflow: 0 },
  n: 6,
  mae: 3,
  persistenceMae: 4,
};

describe('the live table', () => {
  test('shows every sensor with its value, forecasts and errors', () => {
    const lines = renderDemo(snapshot, { width: 100, color: false });
    const [header, ewr, jfk] = lines.slice(-5, -2);
    expect(header.split(/ {2,}/)).toEqual([
      ...['sensor', 'time (UTC)', 'temp', '+1h', '+24h', 'MAE', 'persistence', 'gain', 'messages'],
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
      '12',
    ]);
    expect(jfk.split(/ {2,}/)).toEqual(['JFK', '10-20 06:00', '–', '–', '–', '5.00', '4.00', '+25 %', '12']);
    expect(lines.join('\n')).toContain('mqtt://127.0.0.1:40123');
    expect(lines.join('\n')).toContain('90 msg/s, step 7.3 µs p50, 20.0 p99, latency 0.51 ms p50, 3.20 p99');
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
    const empty = { ...snapshot, streams: [], mae: Number.NaN, persistenceMae: Number.NaN };
    expect(renderDemo(empty, { width: 80, color: false }).length).toBeGreaterThan(5);
    expect(summarize(empty)).toBe('temp +1h, +24h: no target has arrived yet');
  });
});
