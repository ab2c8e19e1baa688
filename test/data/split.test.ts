import { describe, expect, test } from 'vitest';
import { DataError } from '../../src/data/data-error.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { checkTrainable, partRange, splitByTime } from '../../src/data/split.ts';
import { makeDataset } from './make-dataset.ts';

const rising = (length: number) => Array.from({ length }, (_, i) => i);

describe('splitByTime', () => {
  test('cuts the slots of all streams at the same times', () => {
    const dataset = makeDataset({ early: rising(8), late: { firstSlot: 105, values: rising(7) } });
    expect(splitByTime(dataset, [0.5, 0.25, 0.25])).toEqual({
      start: 100,
      trainEnd: 106,
      validationEnd: 109,
      end: 112,
    });
  });

  test('is not led astray by the rounding of fractions', () => {
    // 0.7 + 0.1 < 0.8 in floating point
    expect(splitByTime(makeDataset({ a: rising(10) }), [0.7, 0.1, 0.2])).toEqual({
      start: 100,
      trainEnd: 107,
      validationEnd: 108,
      end: 110,
    });
  });

  test('takes counts of slots, and leaves over what they do not take', () => {
    const split = splitByTime(makeDataset({ a: rising(10) }), [5, 2, 2]);
    expect(split).toEqual({ start: 100, trainEnd: 105, validationEnd: 107, end: 109 });
    expect(partRange(split, 'train')).toEqual({ from: 100, to: 105 });
    expect(partRange(split, 'validation')).toEqual({ from: 105, to: 107 });
    expect(partRange(split, 'test')).toEqual({ from: 107, to: 109 });
  });

  test.each<[string, Dataset, number[], string]>([
    ['counts beyond the data', makeDataset({ a: rising(10) }), [8, 2, 2], 'takes 12 slots, the data has 10'],
    ['fractions beyond 1', makeDataset({ a: rising(10) }), [0.8, 0.3, 0.2], 'add up to at most 1'],
    ['a part of nothing', makeDataset({ a: rising(10) }), [0.8, 0.2, 0], 'three numbers above 0'],
    ['two parts', makeDataset({ a: rising(10) }), [0.8, 0.2], 'expected three numbers'],
    [
      'a part without a slot',
      makeDataset({ a: rising(4) }),
      [0.9, 0.05, 0.05],
      'no row to the validation part',
    ],
    ['a test part in a gap', withGap(), [0.5, 0.2, 0.3], 'no row to the test part'],
  ])('refuses %s', (_, dataset, shares, message) => {
    expect(() => splitByTime(dataset, shares)).toThrow(DataError);
    expect(() => splitByTime(dataset, shares)).toThrow(message);
  });
});

function withGap(): Dataset {
  const dataset = makeDataset({ a: rising(10) });
  dataset.series[0].present.fill(0, 7);
  return dataset;
}

describe('checkTrainable', () => {
  const split = { start: 100, trainEnd: 104, validationEnd: 106, end: 108 };
  const gap = Number.NaN;

  test('accepts what changes in the training part of any stream', () => {
    const dataset = makeDataset({ a: [1, 1, 1, 1, 1, 1, 1, 1], b: [2, 2, gap, 2, 2, 2, 2, 2] });
    expect(() => checkTrainable(dataset, split, { targets: [0] })).not.toThrow();
  });

  test.each<[string, Dataset, boolean, string]>([
    [
      'a constant feature',
      makeDataset({ a: [1, 1, gap, 1, 5, 6, 7, 8] }),
      false,
      "feature 'x' never changes in the training part",
    ],
    [
      'a target of gaps',
      makeDataset({ a: [gap, gap, gap, gap, 5, 6, 7, 8] }),
      false,
      "target 'x' has only gaps in the training part",
    ],
    [
      'a constant channel',
      makeDataset({ a: rising(8), b: [3, 3, 3, 3, 4, 5, 6, 7] }),
      true,
      "feature 'x' of stream 'b' never changes",
    ],
    [
      'a channel of gaps',
      makeDataset({ a: rising(8), b: { firstSlot: 104, values: rising(4) } }),
      true,
      "target 'x' of stream 'b' has only gaps",
    ],
  ])('refuses %s', (_, dataset, perStream, message) => {
    const check = () => checkTrainable(dataset, split, { targets: [0], perStream });
    expect(check).toThrow(DataError);
    expect(check).toThrow(message);
  });
});
