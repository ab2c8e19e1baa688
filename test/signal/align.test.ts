import { describe, expect, test } from 'vitest';
import { type Alignment, createAligner, type Frame } from '../../src/signal/align.ts';

const periodMs = 60_000;
const at = (minutes: number) => minutes * 60_000;

/** Pushes [minutes, feature, value] one by one and ends the input. */
function align(
  readings: readonly (readonly [number, number, number])[],
  options: { features?: number; combine?: 'last' | 'mean' | 'sum' | 'max'; latenessMs?: number } = {},
) {
  const aligner = createAligner({ periodMs, features: 1, ...options });
  const frames: Frame[] = [];
  const alignments: Alignment[] = [];
  const closedAfter: number[] = [];
  for (const [minutes, feature, value] of readings) {
    alignments.push(aligner.push(at(minutes), feature, value, frames));
    closedAfter.push(frames.length);
  }
  aligner.flush(frames);
  return {
    alignments,
    closedAfter,
    frames: frames.map(({ timeMs, values }) => [timeMs / 60_000, ...values]),
  };
}

describe('an aligner without combine', () => {
  test('closes the frame of a single feature at once, at the start of its slot', () => {
    const { frames, closedAfter } = align([[5.5, 0, 20]]);
    expect(frames).toEqual([[5, 20]]);
    expect(closedAfter).toEqual([1]);
  });

  test('closes a frame when all features are in, an explicit missing among them', () => {
    const { frames, closedAfter } = align(
      [
        [1, 1, Number.NaN],
        [1, 0, 7],
      ],
      { features: 2 },
    );
    expect(closedAfter).toEqual([0, 1]);
    expect(frames).toEqual([[1, 7, Number.NaN]]);
  });

  test('closes an unfinished frame when a reading of a later slot arrives, and makes none for the slots between', () => {
    const { frames, closedAfter, alignments } = align(
      [
        [1, 0, 7],
        [4, 0, 8],
        [4, 1, 9],
      ],
      { features: 2 },
    );
    expect(alignments).toEqual(['applied', 'applied', 'applied']);
    expect(closedAfter).toEqual([0, 1, 2]);
    expect(frames).toEqual([
      [1, 7, Number.NaN],
      [4, 8, 9],
    ]);
  });

  test('lets the first of two equal times win, also when its frame has closed', () => {
    const { frames, alignments } = align([
      [1, 0, 7],
      [1, 0, 8],
      [2, 0, 9],
    ]);
    expect(alignments).toEqual(['applied', 'duplicate', 'applied']);
    expect(frames).toEqual([
      [1, 7],
      [2, 9],
    ]);
  });

  test('knows a duplicate of each feature apart', () => {
    const { alignments } = align(
      [
        [1, 0, 7],
        [1, 0, 7],
        [1, 1, 8],
        [1, 1, 8],
        [1, 0, 7],
      ],
      { features: 2 },
    );
    expect(alignments).toEqual(['applied', 'duplicate', 'applied', 'duplicate', 'duplicate']);
  });

  test('calls late what belongs into a closed frame or an earlier one, and never a second value of a place', () => {
    const { alignments, frames } = align([
      [5, 0, 1],
      [5.5, 0, 2],
      [4, 0, 3],
    ]);
    expect(alignments).toEqual(['applied', 'late', 'late']);
    expect(frames).toEqual([[5, 1]]);
  });
});

describe('an aligner with combine', () => {
  const readings = [
    [1, 0, 4],
    [1.25, 0, 10],
    [1.5, 0, 1],
    [1.75, 0, Number.NaN],
    [2, 0, 3],
  ] as const;

  test.each([
    ['mean', 5],
    ['sum', 15],
    ['max', 10],
    ['last', 1],
  ] as const)('%s makes one value of the readings of a frame, past a missing one', (combine, value) => {
    const { frames, alignments, closedAfter } = align(readings, { combine });
    expect(frames).toEqual([
      [1, value],
      [2, 3],
    ]);
    expect(alignments).toEqual(['applied', 'merged', 'merged', 'merged', 'applied']);
    expect(closedAfter).toEqual([0, 0, 0, 0, 1]);
  });

  test('a frame of nothing but missing values stays missing', () => {
    const frame = align([[1, 0, Number.NaN]], { combine: 'sum' }).frames[0];
    expect(frame).toEqual([1, Number.NaN]);
  });

  test('does not take a time twice or a time that goes back within its frame', () => {
    const { alignments, frames } = align(
      [
        [1.25, 0, 10],
        [1.25, 0, 10],
        [1, 0, 4],
      ],
      { combine: 'sum' },
    );
    expect(alignments).toEqual(['applied', 'duplicate', 'late']);
    expect(frames).toEqual([[1, 10]]);
  });
});

test('a value is rounded to float32 before it is combined', () => {
  const { frames } = align(
    [
      [1, 0, 0.1],
      [1.5, 0, 0.2],
    ],
    { combine: 'mean' },
  );
  expect(frames[0][1]).toBe(Math.fround((Math.fround(0.1) + Math.fround(0.2)) / 2));
});

test('slots before 1970 work like all others', () => {
  expect(align([[-2.5, 0, 1]]).frames).toEqual([[-3, 1]]);
});

describe('an aligner with lateness', () => {
  const latenessMs = at(2);

  test('puts readings out of order into their places, and closes frames in order', () => {
    const { frames, alignments, closedAfter } = align(
      [
        [1, 0, 10],
        [3, 0, 30],
        [2, 0, 20],
        [4, 0, 40],
        [6, 0, 60],
      ],
      { latenessMs },
    );
    expect(alignments).toEqual(['applied', 'applied', 'applied', 'applied', 'applied']);
    // minute 5 may still come, so 6 waits
    expect(closedAfter).toEqual([0, 1, 3, 4, 4]);
    expect(frames).toEqual([
      [1, 10],
      [2, 20],
      [3, 30],
      [4, 40],
      [6, 60],
    ]);
  });

  test('counts what comes after its frame has closed', () => {
    const { alignments, frames } = align(
      [
        [1, 0, 10],
        [5, 0, 50],
        [2.5, 0, 25],
      ],
      { latenessMs },
    );
    expect(alignments).toEqual(['applied', 'applied', 'late']);
    expect(frames).toEqual([
      [1, 10],
      [5, 50],
    ]);
  });

  test('gives the same frames for every order inside the lateness', () => {
    const values = [1, 2, 4, 8, Number.NaN, 32];
    const readings = [0.1, 0.6, 1.2, 1.3, 1.4, 2.4].map((minutes, i) => [minutes, 0, values[i]] as const);
    for (const combine of ['mean', 'sum', 'max', 'last'] as const) {
      const expected = align(readings, { latenessMs: at(9), combine }).frames;
      for (const order of permutations(readings)) {
        expect(align(order, { latenessMs: at(9), combine }).frames).toEqual(expected);
      }
    }
  });

  test('keeps a bounded book of times: beyond it only what is newer joins', () => {
    const many = Array.from({ length: 6000 }, (_, i) => [i / 60_000, 0, 1] as const);
    const { alignments, frames } = align([...many, [0.5 / 60_000, 0, 1]], { latenessMs, combine: 'sum' });
    expect(new Set(alignments.slice(1, 6000))).toEqual(new Set(['merged']));
    expect(alignments[6000]).toBe('late');
    expect(frames).toEqual([[0, 6000]]);
  });

  test('merges a reading once, however often it comes', () => {
    const many = Array.from({ length: 40 }, (_, i) => [i / 50, 0, i] as const);
    const { alignments, frames } = align([...many, ...many], { latenessMs, combine: 'sum' });
    expect(alignments.slice(40)).toEqual(Array(40).fill('duplicate'));
    expect(frames).toEqual([[0, (39 * 40) / 2]]);
  });
});

describe('a second delivery', () => {
  test('is a duplicate after its frame has closed, too', () => {
    const minutes = Array.from({ length: 16 }, (_, i) => i);
    const readings = [...minutes, ...minutes].map((minute) => [minute, 0, minute] as const);
    expect(align(readings).alignments.slice(16)).toEqual(Array(16).fill('duplicate'));
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, i) =>
    permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]),
  );
}
