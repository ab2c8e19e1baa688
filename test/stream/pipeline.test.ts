import { concat, from, lastValueFrom, NEVER, of, Subject, take, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { formatTime } from '../../src/signal/times.ts';
import { countAll, createCounters } from '../../src/stream/counters.ts';
import type { Reading } from '../../src/stream/decode.ts';
import { forecastMessage, type Outcome } from '../../src/stream/encode.ts';
import type { Message } from '../../src/stream/payload.ts';
import { createStreamMemory, road } from '../../src/stream/pipeline.ts';
import { flatJson, jsonDecoder } from '../../src/stream/read-json.ts';
import { createTinyEngine, hourMs, startMs } from './tiny-engine.ts';

const engine = createTinyEngine();
const decoders = [jsonDecoder(flatJson(engine.model.input.names))];

type Row = readonly [temp: number | null, pressure: number | null];

/** Deterministic weather with a missing cell now and then. */
const rowAt = (stream: number, hour: number): Row => [
  Math.fround(50 + 8 * Math.sin(hour / 4 + stream)),
  (hour + stream) % 7 === 0 ? null : Math.fround(1000 + Math.cos(hour / 9)),
];

function send(stream: string, hour: number, [temp, pressure]: Row): Message {
  const body = { time: formatTime(startMs + hour * hourMs), temp, pressure };
  return messageOf(stream, JSON.stringify(body));
}

function messageOf(stream: string, text: string): Message {
  const payload = new TextEncoder().encode(text);
  return { route: 0, stream, payload, retained: false, arrivedMs: startMs + 1e9 };
}

function payloads(outcomes: readonly Outcome[], stream: string): string[] {
  return outcomes.flatMap(({ publications }) =>
    publications.filter((publication) => publication.stream === stream).map(({ payload }) => String(payload)),
  );
}

/** What a session that sees this stream alone answers. */
function expected(stream: string, hours: readonly number[], rows: readonly Row[]): string[] {
  const session = engine.openSession(stream);
  return hours.map((hour, i) => {
    const values = rows[i].map((value) => value ?? Number.NaN);
    const result = session.step({ timeMs: startMs + hour * hourMs, values });
    if (result.kind !== 'forecast') throw new Error('no forecast');
    return JSON.stringify(forecastMessage({ ...result, stream }, engine));
  });
}

const hours = Array.from({ length: 60 }, (_, i) => i).filter((hour) => hour % 11 !== 5);

describe('the road', () => {
  test('answers in the format of the design', async () => {
    const counters = createCounters();
    const messages = of([send('JFK', 6, [39, null])]);
    const { publications } = await lastValueFrom(messages.pipe(road(engine, { decoders, counters })));
    const forecast = JSON.parse(String(publications[0].payload));
    expect(Object.keys(forecast)).toEqual(['stream', 'time', 'model', 'health', 'horizons']);
    expect(forecast).toMatchObject({
      stream: 'JFK',
      time: '2013-10-20T06:00:00Z',
      model: engine.id,
      health: 'cold',
      horizons: [
        { steps: 1, time: '2013-10-20T07:00:00Z' },
        { steps: 3, time: '2013-10-20T09:00:00Z' },
      ],
    });
    for (const horizon of forecast.horizons) {
      expect(Object.keys(horizon)).toEqual(['steps', 'time', 'value', 'low', 'high']);
      expect(horizon.low).toBeLessThan(horizon.value);
      expect(horizon.high).toBeGreaterThan(horizon.value);
    }
  });

  test('leaves out the interval of a model that has none', async () => {
    const plain = createTinyEngine({ calibration: { levels: [], residuals: new Float32Array(0) } });
    const messages = of([send('JFK', 6, [39, null])]);
    const { publications } = await lastValueFrom(
      messages.pipe(road(plain, { decoders, counters: createCounters() })),
    );
    expect(String(publications[0].payload)).not.toContain('null');
    for (const horizon of JSON.parse(String(publications[0].payload)).horizons) {
      expect(Object.keys(horizon)).toEqual(['steps', 'time', 'value']);
    }
  });

  test('goes on over the states of an earlier one', async () => {
    const memory = createStreamMemory(engine, {});
    const batch = [send('JFK', 1, rowAt(0, 1)), send('JFK', 2, rowAt(0, 2)), send('JFK', 3, rowAt(0, 3))];
    const after = [send('JFK', 4, rowAt(0, 4)), send('JFK', 5, rowAt(0, 5))];
    const options = () => ({ decoders, counters: createCounters(), memory });
    // it is left in the middle: an end would flush
    const left = concat(of(batch), NEVER).pipe(road(engine, options()), take(3), toArray());
    const first = await lastValueFrom(left);
    const second = await lastValueFrom(of(after).pipe(road(engine, options()), toArray()));
    const seen = [1, 2, 3, 4, 5];
    const rows = seen.map((hour) => rowAt(0, hour));
    expect(payloads([...first, ...second], 'JFK')).toEqual(expected('JFK', seen, rows));
  });

  test('gives each stream the bits of a session of its own, however the messages are batched', async () => {
    const streams = ['EWR', 'JFK', 'LGA'];
    const messages = hours.flatMap((hour) => streams.map((stream, s) => send(stream, hour, rowAt(s, hour))));
    for (const size of [1, 2, 3, 7, 40, messages.length]) {
      const batches: Message[][] = [];
      for (let i = 0; i < messages.length; i += size) batches.push(messages.slice(i, i + size));
      const counters = createCounters();
      const outcomes = await lastValueFrom(
        from(batches).pipe(road(engine, { decoders, counters }), toArray()),
      );
      streams.forEach((stream, s) => {
        const rows = hours.map((hour) => rowAt(s, hour));
        expect(payloads(outcomes, stream)).toEqual(expected(stream, hours, rows));
      });
      expect(counters.ended).toMatchObject({ applied: 2 * messages.length });
      expect(countAll(counters)).toBe(2 * messages.length);
    }
  });

  test('steps through history without publishing or counting it', async () => {
    const split = 30;
    const history = hours.slice(0, split).map((hour): Reading[] =>
      rowAt(0, hour).map((value, feature) => ({
        stream: 'JFK',
        timeMs: startMs + hour * hourMs,
        feature,
        value: value ?? Number.NaN,
      })),
    );
    const counters = createCounters();
    const live = hours.slice(split).map((hour) => [send('JFK', hour, rowAt(0, hour))]);
    const outcomes = await lastValueFrom(
      from(live).pipe(road(engine, { decoders, counters, history }), toArray()),
    );
    const rows = hours.map((hour) => rowAt(0, hour));
    expect(payloads(outcomes, 'JFK')).toEqual(expected('JFK', hours, rows).slice(split));
    expect(outcomes.filter(({ origin }) => origin === 'history')).toHaveLength(split);
    expect(countAll(counters)).toBe(2 * live.length);
  });

  test('warms before it listens', () => {
    const source = new Subject<readonly Message[]>();
    let listening: boolean | undefined;
    const history = [[{ stream: 'JFK', timeMs: startMs, feature: 0, value: 1 }]];
    function* watched() {
      listening = source.observed;
      yield* history;
    }
    const subscription = source
      .pipe(road(engine, { decoders, counters: createCounters(), history: watched() }))
      .subscribe();
    expect(listening).toBe(false);
    expect(source.observed).toBe(true);
    subscription.unsubscribe();
  });

  test('answers before the call that brings a message returns', () => {
    const source = new Subject<readonly Message[]>();
    const outcomes: Outcome[] = [];
    const subscription = source
      .pipe(road(engine, { decoders, counters: createCounters() }))
      .subscribe((outcome) => outcomes.push(outcome));
    source.next([send('JFK', 0, [50, 1000])]);
    expect(payloads(outcomes, 'JFK')).toHaveLength(1);
    subscription.unsubscribe();
  });

  test('sets bad and repeated messages aside and goes on', async () => {
    const good = hours.slice(0, 10);
    const noise = (hour: number): Message[] => [
      send('JFK', hour, rowAt(0, hour)),
      send('JFK', hour, [0, 0]),
      { ...send('JFK', hour, [1, 1]), retained: true },
      messageOf('JFK', 'oops'),
      send('JFK', hour - 5.5, [0, 0]),
    ];
    const counters = createCounters();
    const batches = from(good.map(noise));
    const outcomes = await lastValueFrom(batches.pipe(road(engine, { decoders, counters }), toArray()));
    const rows = good.map((hour) => rowAt(0, hour));
    expect(payloads(outcomes, 'JFK')).toEqual(expected('JFK', good, rows));
    expect(counters.ended).toEqual({
      applied: 20,
      merged: 0,
      duplicate: 20,
      late: 20,
      retained: 20,
      malformed: 10,
      overflow: 0,
    });
  });

  test('names the target of each horizon where the model has several', async () => {
    const output = { targets: [0, 1], steps: 3, horizons: [2], quantiles: [] };
    const head = engine.model.head;
    if (!head) throw new Error('the tiny model has a head');
    const twice = ({ shape, values }: typeof head.weights) => ({
      kind: 'float32' as const,
      shape: [2 * shape[0], ...shape.slice(1)],
      values: Float32Array.of(...values, ...values),
    });
    const both = createTinyEngine({
      output,
      head: { weights: twice(head.weights), bias: twice(head.bias), skip: twice(head.skip) },
      calibration: { levels: [], residuals: new Float32Array(0) },
    });
    const messages = of([send('JFK', 0, [50, 1000])]);
    const { publications } = await lastValueFrom(
      messages.pipe(road(both, { decoders, counters: createCounters() })),
    );
    expect(JSON.parse(String(publications[0].payload)).horizons).toMatchObject([
      { target: 'temp', steps: 2 },
      { target: 'pressure', steps: 2 },
    ]);
  });

  test('averages what comes faster than the period, where the model was trained on such data', async () => {
    const faster = createTinyEngine({ input: { ...engine.model.input, combine: 'mean' } });
    const at = (hour: number, temp: number) => send('JFK', hour, [temp, 1000]);
    const messages = [at(0, 50), at(0.4, 53), at(0.8, 59), at(1, 60), at(2, 61)];
    const counters = createCounters();
    const outcomes = await lastValueFrom(of(messages).pipe(road(faster, { decoders, counters }), toArray()));
    const rows: Row[] = [
      [54, 1000],
      [60, 1000],
      [61, 1000],
    ];
    expect(payloads(outcomes, 'JFK')).toEqual(expected('JFK', [0, 1, 2], rows));
    expect(counters.ended).toMatchObject({ applied: 6, merged: 4 });
  });
});
