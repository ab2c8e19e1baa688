import { expect, test } from 'vitest';
import { testTicks } from '../../src/cli/demo-data.ts';
import { historyOf } from '../../src/cli/history.ts';
import type { Dataset, Series } from '../../src/data/dataset.ts';
import { createTinyEngine, hourMs, startMs } from '../stream/tiny-engine.ts';

const firstSlot = startMs / hourMs;
const { model } = createTinyEngine();
const test3 = {
  ...model,
  training: { ...model.training, validationEndMs: startMs + 2 * hourMs, testEndMs: startMs + 5 * hourMs },
};

function series(stream: string, offset: number, rows: (readonly [number, number] | undefined)[]): Series {
  const values = Float32Array.from(rows.flatMap((row) => row ?? [Number.NaN, Number.NaN]));
  const present = Uint8Array.from(rows, (row) => (row ? 1 : 0));
  return { stream, firstSlot: firstSlot + offset, length: rows.length, values, present };
}

const dataset: Dataset = {
  periodMs: hourMs,
  features: ['temp', 'pressure'],
  sha256: '',
  counts: { rows: 0, applied: 0, merged: 0, duplicate: 0, missing: 0, late: 0, malformed: 0 },
  series: [
    series('a', 0, [[1, 2], undefined, [39.02, Number.NaN], undefined, [5, 6], [7, 8]]),
    series('b', 1, [
      [Number.NaN, 4],
      [9, 9],
    ]),
  ],
};

test('history is every row before a slot, a batch a time slot', () => {
  expect([...historyOf(dataset, firstSlot + 2)]).toEqual([
    [
      { stream: 'a', timeMs: startMs, feature: 0, value: 1 },
      { stream: 'a', timeMs: startMs, feature: 1, value: 2 },
    ],
    [
      { stream: 'b', timeMs: startMs + hourMs, feature: 0, value: Number.NaN },
      { stream: 'b', timeMs: startMs + hourMs, feature: 1, value: 4 },
    ],
  ]);
});

test('the test part is sent in the order of time, gaps as they are', () => {
  const ticks = testTicks(dataset, test3);
  expect(ticks.map(({ messages }) => messages.map(({ stream, payload }) => [stream, payload]))).toEqual([
    [
      ['a', '{"time":"2013-10-20T02:00:00Z","temp":39.02,"pressure":null}'],
      ['b', '{"time":"2013-10-20T02:00:00Z","temp":9,"pressure":9}'],
    ],
    [['a', '{"time":"2013-10-20T04:00:00Z","temp":5,"pressure":6}']],
  ]);
});
