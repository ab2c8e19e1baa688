import { from, lastValueFrom, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { align } from '../../src/stream/align.ts';
import { countAll, createCounters } from '../../src/stream/counters.ts';
import type { Reading, ReadingBatch } from '../../src/stream/decode.ts';
import { createStreamTable } from '../../src/stream/stream-table.ts';

type Quick = [stream: string, timeMs: number, feature: number, value: number];

async function alignAll(batches: Quick[][], { features = 1, limit = 256, origin = 'live' as const } = {}) {
  const counters = createCounters();
  const input = batches.map(
    (readings): ReadingBatch => ({
      origin,
      readings: readings.map(([stream, timeMs, feature, value]) => ({ stream, timeMs, feature, value })),
    }),
  );
  const operator = align({ table: createStreamTable({ periodMs: 10, features }), limit, counters });
  const rounds = await lastValueFrom(from(input).pipe(operator, toArray()));
  const frames = rounds.map((round) =>
    round.frames.map(({ stream, timeMs, values }) => `${stream}@${timeMs}=${[...values].join('/')}`),
  );
  return { frames, counters };
}

describe('align', () => {
  test('steps nothing with a reading that is known, whatever its time, and counts it as a duplicate', async () => {
    const table = createStreamTable({ periodMs: 10, features: 1 });
    const counters = createCounters();
    const repeated: Reading[] = [];
    const observer = { before() {}, taken() {}, repeated: (reading: Reading) => void repeated.push(reading) };
    const known = ['a', 'b'].map(
      (stream): Reading => ({
        ...{ stream, timeMs: 25, feature: 0, value: 1, again: 'known' },
      }),
    );
    const first: Reading = { stream: 'a', timeMs: 5, feature: 0, value: 1 };
    const input: ReadingBatch[] = [
      { origin: 'live', readings: [first] },
      { origin: 'live', readings: known },
    ];
    const operator = align({ table, limit: 256, counters, observer });
    const rounds = await lastValueFrom(from(input).pipe(operator, toArray()));
    expect(rounds.flatMap(({ frames }) => frames.map(({ timeMs }) => timeMs))).toEqual([0]);
    expect(counters.ended).toMatchObject({ applied: 1, duplicate: 2 });
    expect(countAll(counters)).toBe(3);
    expect(repeated).toEqual(known);
    expect([...table.streams.keys()]).toEqual(['a']);
  });

  test('closes a frame of one feature at once and puts distinct streams into one round', async () => {
    const { frames } = await alignAll([
      [
        ['a', 3, 0, 1],
        ['b', 4, 0, 2],
      ],
    ]);
    expect(frames).toEqual([['a@0=1', 'b@0=2']]);
  });

  test('puts a stream that occurs twice into a second round, in order', async () => {
    const { frames } = await alignAll([
      [
        ['a', 0, 0, 1],
        ['a', 10, 0, 2],
        ['b', 0, 0, 3],
        ['a', 20, 0, 4],
      ],
    ]);
    expect(frames).toEqual([['a@0=1', 'b@0=3'], ['a@10=2'], ['a@20=4']]);
  });

  test('never fills a round beyond the limit and keeps each stream in order', async () => {
    const readings = [0, 10].flatMap((timeMs) =>
      ['a', 'b', 'c', 'd', 'e'].map((stream, i): Quick => [stream, timeMs, 0, i]),
    );
    const { frames } = await alignAll([readings], { limit: 2 });
    expect(Math.max(...frames.map((round) => round.length))).toBe(2);
    const order = frames.flat();
    for (const stream of ['a', 'b', 'c', 'd', 'e']) {
      const seen = order.filter((frame) => frame.startsWith(stream)).map((frame) => frame.split('=')[0]);
      expect(seen).toEqual([`${stream}@0`, `${stream}@10`]);
    }
    for (const round of frames) {
      expect(new Set(round.map((frame) => frame[0])).size).toBe(round.length);
    }
  });

  test('waits for all features, or for a reading of a later frame', async () => {
    const { frames } = await alignAll(
      [
        [['a', 0, 0, 1]],
        [['a', 0, 1, 2]],
        [['a', 10, 1, 3]],
        [
          ['a', 20, 0, 4],
          ['a', 20, 1, Number.NaN],
        ],
      ],
      { features: 2 },
    );
    expect(frames).toEqual([['a@0=1/2'], ['a@10=NaN/3'], ['a@20=4/NaN']]);
  });

  test('closes what is open when the input ends', async () => {
    const { frames } = await alignAll(
      [
        [
          ['a', 0, 0, 1],
          ['b', 0, 1, 2],
        ],
      ],
      { features: 2 },
    );
    expect(frames).toEqual([['a@0=1/NaN', 'b@0=NaN/2']]);
  });

  test('counts every reading in exactly one place', async () => {
    const { counters, frames } = await alignAll([
      [
        ['a', 10, 0, 1],
        ['a', 10, 0, 2],
        ['a', 0, 0, 3],
        ['b', 0, 0, 4],
        ['a', 20, 0, Number.NaN],
      ],
    ]);
    expect(frames.flat()).toEqual(['a@10=1', 'b@0=4', 'a@20=NaN']);
    expect(counters.ended).toMatchObject({ applied: 3, duplicate: 1, late: 1 });
    expect(countAll(counters)).toBe(5);
  });

  test('leaves history out of the counters', async () => {
    const { counters } = await alignAll([[['a', 0, 0, 1]]], { origin: 'history' as 'live' });
    expect(countAll(counters)).toBe(0);
  });
});
