import { describe, expect, test } from 'vitest';
import { shareChannels } from '../../src/data/channels.ts';
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

  test.each<[number[], string[]]>([
    [
      [2, 1, 1],
      ['split [2, 1, 1] takes 4 of 10 slots; the later ones stay unused, fractions would take all'],
    ],
    [[3, 1, 1], []],
    [[0.2, 0.1, 0.1], []],
  ])('warns of counts that use less than half of the data: %j', (shares, expected) => {
    const warnings: string[] = [];
    splitByTime(makeDataset({ a: rising(10) }), shares, (message) => warnings.push(message));
    expect(warnings).toEqual(expected);
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
    [
      'a test part in a gap at the end',
      withGap(7, 10),
      [0.5, 0.2, 0.3],
      'no row to the test part; give it a larger share or more data',
    ],
    [
      'a far time',
      makeDataset({ a: rising(20), b: { firstSlot: 100_000, values: [1] } }),
      [0.6, 0.2, 0.2],
      'split [0.6, 0.2, 0.2] leaves no row to the validation part; it lies in a gap from 1970-01-05T23:00:00Z to ' +
        '1981-05-29T16:00:00Z (4161.7 days); if one of these times is wrong, correct it or leave its rows out',
    ],
    [
      'a gap in one stream alone',
      withGap(4, 8),
      [0.5, 0.2, 0.3],
      'validation part; it lies in a gap from 1970-01-05T07:00:00Z to 1970-01-05T12:00:00Z (0.2 days)',
    ],
  ])('refuses %s', (_, dataset, shares, message) => {
    expect(() => splitByTime(dataset, shares)).toThrow(DataError);
    expect(() => splitByTime(dataset, shares)).toThrow(message);
  });
});

function withGap(from: number, to: number): Dataset {
  const dataset = makeDataset({ a: rising(10) });
  dataset.series[0].present.fill(0, from, to);
  return dataset;
}

describe('checkTrainable', () => {
  const split = { start: 100, trainEnd: 104, validationEnd: 106, end: 108 };
  const gap = Number.NaN;

  test('accepts what changes in the training part of any stream', () => {
    const dataset = makeDataset({ a: [1, 1, 1, 1, 1, 1, 1, 1], b: [2, 2, gap, 2, 2, 2, 2, 2] });
    expect(() => checkTrainable(dataset, split, { targets: [0] })).not.toThrow();
  });

  test.each<[string, number[], string]>([
    [
      'a constant feature',
      [1, 1, gap, 1, 5, 6, 7, 8],
      "feature 'x' never changes in the training part; leave",
    ],
    ['a feature of gaps', [gap, gap, gap, gap, 5, 6, 7, 8], "feature 'x' has only gaps in the training part"],
    [
      'a mean beyond the model file',
      [1e35, 1e35, 1.4e35, 1e35, 5, 6, 7, 8],
      "feature 'x' has mean 1.10e+35 and standard deviation 1.73e+34 in the training part, expected at most 1e+30 and 1e+20",
    ],
    ['a scale beyond it', [-1e21, 1e21, gap, 1, 5, 6, 7, 8], 'standard deviation 8.16e+20 in the training'],
  ])('refuses %s, as a feature and as a target', (_, values, message) => {
    const dataset = makeDataset({ a: values.flatMap((value, i) => [i, value]) }, ['t', 'x']);
    expect(() => checkTrainable(dataset, split, { targets: [0] })).toThrow(DataError);
    expect(() => checkTrainable(dataset, split, { targets: [0] })).toThrow(message);
    expect(() => checkTrainable(dataset, split, { targets: [0] })).toThrow(/; leave it out of features$/);
    expect(() => checkTrainable(dataset, split, { targets: [1] })).toThrow(
      /^target 'x' .*; choose another target or split$/,
    );
  });

  test('accepts means and scales up to what a model file takes', () => {
    const dataset = makeDataset({ a: [9e19, -9e19, 9e19, -9e19, 5, 6, 7, 8] });
    expect(() => checkTrainable(dataset, split, { targets: [0] })).not.toThrow();
  });

  describe('of shared channels', () => {
    const check = (streams: Parameters<typeof makeDataset>[0], names = ['flow', 'temp/inner']) => {
      const shared = shareChannels(makeDataset(streams, names));
      return () => checkTrainable(shared, split, { targets: [0], perStream: true });
    };
    const rows = (flow: number[], temp: number[]) => flow.flatMap((value, i) => [value, temp[i]]);
    const still = [3, 3, 3, 3, 4, 5, 6, 7];

    test('names the channel, its target and its stream', () => {
      const streams = { a: rows(rising(8), rising(8)), 'plant/b': rows(rising(8), still) };
      expect(check(streams)).toThrow(DataError);
      expect(check(streams)).toThrow(
        /^channel 'plant\/b\/temp\/inner' never changes in the training part; take temp\/inner out of target, or leave the rows of stream 'plant\/b' out of the data$/,
      );
    });

    test('names no stream where there is only one', () => {
      expect(check({ default: rows(still, rising(8)) })).toThrow(
        /^channel 'default\/flow' never changes in the training part; take flow out of target$/,
      );
    });

    test('refuses a channel of gaps', () => {
      expect(check({ a: rising(8), b: { firstSlot: 104, values: rising(4) } }, ['flow'])).toThrow(
        "channel 'b/flow' has only gaps in the training part; take flow out of target, or leave the rows",
      );
    });

    test('refuses channels that no common scaler can hold', () => {
      const far = [1e25, 1.00001e25, 1e25, 1e25, 1e25, 1e25, 1e25, 1e25];
      expect(
        check({
          a: rows(
            rising(8),
            far.map((value) => value / 1e6),
          ),
        }),
      ).not.toThrow();
      expect(check({ a: rows(rising(8), far) })).toThrow(/^all channels together: has mean 5\.00e\+24/);
    });
  });
});
