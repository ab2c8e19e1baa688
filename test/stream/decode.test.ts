import { lastValueFrom, of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { countAll, createCounters, type MalformedReason } from '../../src/stream/counters.ts';
import { decode } from '../../src/stream/decode.ts';
import type { Message } from '../../src/stream/payload.ts';
import { flatJson, jsonDecoder } from '../../src/stream/read-json.ts';
import { numberDecoder } from '../../src/stream/read-number.ts';

const arrivedMs = Date.UTC(2026, 0);
const dayMs = 86_400_000;
const bytes = (text: string) => new TextEncoder().encode(text);
const message = (payload: string | Uint8Array, retained = false): Message => ({
  route: 0,
  stream: 'JFK',
  payload: typeof payload === 'string' ? bytes(payload) : payload,
  retained,
  arrivedMs,
});
const ahead = (ms: number) => message(`{"time":${arrivedMs + ms},"temp":1,"pressure":null}`);

async function decodeAll(...messages: Message[]) {
  const counters = createCounters();
  const batch = await lastValueFrom(
    of(messages).pipe(decode({ decoders: [jsonDecoder(flatJson(['temp', 'pressure']))], counters })),
  );
  return { counters, readings: batch.readings, origin: batch.origin };
}

describe('decode', () => {
  test('makes a reading of every feature that a message holds', async () => {
    const { readings, origin, counters } = await decodeAll(
      message('{"time":"2013-01-01T06:00:00Z","temp":39.02,"other":"x","pressure":1012}'),
    );
    const timeMs = Date.UTC(2013, 0, 1, 6);
    expect(origin).toBe('live');
    expect(readings).toEqual([
      { stream: 'JFK', timeMs, feature: 0, value: Math.fround(39.02) },
      { stream: 'JFK', timeMs, feature: 1, value: 1012 },
    ]);
    expect(countAll(counters)).toBe(0);
  });

  test('takes null for an explicit missing value', async () => {
    const { readings } = await decodeAll(message('{"time":0,"temp":null,"pressure":-0.5}'));
    expect(readings.map(({ value }) => value)).toEqual([Number.NaN, -0.5]);
  });

  test.each([
    ['"2013-01-01T06:00:00Z"', Date.UTC(2013, 0, 1, 6)],
    ['"2013-01-01T06:00:00.250Z"', Date.UTC(2013, 0, 1, 6) + 250],
    ['"2013-01-01T06:00:00+02:00"', Date.UTC(2013, 0, 1, 4)],
    ['"2013-01-01T06:00:00"', Date.UTC(2013, 0, 1, 6)],
    ['1357020000', Date.UTC(2013, 0, 1, 6)],
    ['1357020000123', Date.UTC(2013, 0, 1, 6) + 123],
  ])('reads the time %s', async (time, timeMs) => {
    const { readings } = await decodeAll(message(`{"time":${time},"temp":1}`));
    expect(readings[0].timeMs).toBe(timeMs);
  });

  const bad: [MalformedReason, string, string | Uint8Array][] = [
    ['not JSON', 'text', 'on'],
    ['not JSON', 'nothing', ''],
    ['not JSON', 'half a message', '{"time":0,"temp":'],
    ['not JSON', 'NaN', '{"time":0,"temp":NaN}'],
    ['not JSON', 'Infinity', '{"time":0,"temp":Infinity}'],
    ['not an object', 'a number', '39.5'],
    ['not an object', 'a list', '[{"time":0,"temp":1}]'],
    ['not an object', 'null', 'null'],
    ['no time', 'no time', '{"temp":1}'],
    ['bad time', 'words', '{"time":"noon","temp":1}'],
    ['bad time', 'the 30th of February', '{"time":"2013-02-30T00:00:00Z","temp":1}'],
    ['bad time', 'a time of the wrong type', '{"time":{},"temp":1}'],
    ['bad time', 'a time that no date can hold', '{"time":1e300,"temp":1}'],
    ['bad time', 'an infinite time', '{"time":1e999,"temp":1}'],
    ['no feature', 'no such key', '{"time":0,"temperature":1}'],
    ['no feature', 'a key of every object', '{"time":0,"toString":1,"__proto__":{"temp":1}}'],
    ['not a number', 'a number in quotes', '{"time":0,"temp":"39"}'],
    ['not a number', 'true', '{"time":0,"temp":true}'],
    ['not a number', 'an object', '{"time":0,"temp":{"value":1}}'],
    ['out of range', 'beyond float32', '{"time":0,"temp":1e300}'],
    ['out of range', 'beyond float64', '{"time":0,"temp":-1e999}'],
    ['not UTF-8', 'broken UTF-8', Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d)],
    ['too large', '10 MB', new Uint8Array(10_000_000).fill(0x20)],
    ['too large', '10 MB of JSON', `{"time":0,"temp":1,"pad":"${'x'.repeat(10_000_000)}"}`],
    ['not JSON', 'deep nesting', `${'['.repeat(60_000)}`],
  ];

  test.each(bad)('counts as %s: %s', async (reason, _, payload) => {
    const { readings, counters } = await decodeAll(message(payload));
    expect(readings).toEqual([]);
    expect(counters.malformed).toEqual({ [reason]: 1 });
    expect(countAll(counters)).toBe(1);
    expect(counters.ended.malformed).toBe(1);
  });

  test('counts what came without its payload as too large, whatever reads the others', async () => {
    const counters = createCounters();
    const decoder = numberDecoder({ names: ['temp'], feature: 'temp' });
    const large = { ...message(''), skippedBytes: 20_000_000 };
    const { readings } = await lastValueFrom(
      of([large, { ...large, retained: true }]).pipe(decode({ decoders: [decoder], counters })),
    );
    expect(readings).toEqual([]);
    expect(counters.malformed).toEqual({ 'too large': 2 });
  });

  test('takes no key that a message inherits', async () => {
    const counters = createCounters();
    const operator = decode({ decoders: [jsonDecoder(flatJson(['constructor']))], counters });
    const { readings } = await lastValueFrom(of([message('{"time":0,"x":1}')]).pipe(operator));
    expect(readings).toEqual([]);
    expect(counters.malformed).toEqual({ 'no feature': 1 });
  });

  test('keeps the good values of a message with a bad one', async () => {
    const { readings, counters } = await decodeAll(message('{"time":0,"temp":"warm","pressure":1012}'));
    expect(readings).toEqual([{ stream: 'JFK', timeMs: 0, feature: 1, value: 1012 }]);
    expect(counters.malformed).toEqual({ 'not a number': 1 });
  });

  test('goes on after bad payloads, and counts each exactly once', async () => {
    const { readings, counters } = await decodeAll(
      ...bad.map(([, , payload]) => message(payload)),
      message('{"time":0,"temp":1,"pressure":2}'),
    );
    expect(readings).toHaveLength(2);
    expect(countAll(counters)).toBe(bad.length);
  });

  test('counts a replay by the broker and lets none of it pass', async () => {
    const { readings, counters } = await decodeAll(
      message('{"time":0,"temp":1,"pressure":2}', true),
      message('oops', true),
    );
    expect(readings).toEqual([]);
    expect(counters.ended.retained).toBe(2);
    expect(counters.ended.malformed).toBe(1);
  });

  test('sets aside what lies more than a day ahead of the clock, value by value', async () => {
    const { readings, counters } = await decodeAll(ahead(dayMs + 1), ahead(dayMs));
    expect(readings).toHaveLength(2);
    expect(counters.malformed).toEqual({ 'far future': 2 });
  });

  test('takes what goes on a stream step by step, however far a clock is behind that has just been started', async () => {
    const counters = createCounters();
    const operator = decode({
      ...{ decoders: [jsonDecoder(flatJson(['temp', 'pressure']))], counters },
      newestMs: (stream) => (stream === 'JFK' ? arrivedMs + 9 * dayMs : Number.NEGATIVE_INFINITY),
    });
    const known = [9.5, 10, 10.9, 11.5, 13].map((days) => ahead(days * dayMs));
    const other = { ...ahead(9 * dayMs), stream: 'LGA' };
    const { readings } = await lastValueFrom(of([...known, other]).pipe(operator));
    // the last one is a day and a half ahead of its stream
    expect(readings.map(({ timeMs }) => (timeMs - arrivedMs) / dayMs)).toEqual(
      [9.5, 10, 10.9, 11.5].flatMap((days) => [days, days]),
    );
    expect(counters.malformed).toEqual({ 'far future': 4 });
  });

  test('takes no name that fits no page', async () => {
    const named = (length: number) => ({ ...message('{"time":0,"temp":1}'), stream: 'x'.repeat(length) });
    const { readings, counters } = await decodeAll(named(256), named(257));
    expect(readings).toHaveLength(1);
    expect(counters.malformed).toEqual({ 'name too long': 1 });
  });

  test('makes a stream of each channel where channels share their weights', async () => {
    const counters = createCounters();
    const channels = ['temp', 'dewp'];
    const operator = decode({ decoders: [jsonDecoder(flatJson(channels))], counters, channels });
    const { readings } = await lastValueFrom(of([message('{"time":0,"temp":1,"dewp":2}')]).pipe(operator));
    expect(readings).toEqual([
      { stream: 'JFK/temp', timeMs: 0, feature: 0, value: 1 },
      { stream: 'JFK/dewp', timeMs: 0, feature: 0, value: 2 },
    ]);
  });

  test('tells of each thing that is set aside, and of what the broker had kept', async () => {
    const counters = createCounters();
    const told: unknown[] = [];
    const operator = decode({
      ...{ decoders: [jsonDecoder(flatJson(['temp', 'pressure']))], counters },
      onMalformed: (reason, { stream }) => told.push([reason, stream]),
      onRetained: (readings) => told.push(readings),
    });
    const messages = [message('oops'), message('{"time":0,"temp":"x","pressure":2}', true)];
    await lastValueFrom(of(messages).pipe(operator));
    expect(told).toEqual([
      ['not JSON', 'JFK'],
      ['not a number', 'JFK'],
      [{ stream: 'JFK', timeMs: 0, feature: 1, value: 2 }],
    ]);
  });
});
