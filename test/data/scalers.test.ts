import { describe, expect, test } from 'vitest';
import { holdMissing } from '../../src/data/held.ts';
import { fitScalers, scalesDiffer } from '../../src/data/scalers.ts';
import { makeDataset } from './make-dataset.ts';

const gap = Number.NaN;
const split = { start: 100, trainEnd: 104, validationEnd: 105, end: 106 };

describe('fitScalers', () => {
  const dataset = makeDataset({
    a: [1, gap, 3, gap, 99, 99],
    b: { firstSlot: 102, values: [5, 7, 99, 99] },
    late: { firstSlot: 104, values: [99, 98] },
  });

  test('reads the training part of all streams together', () => {
    const scalers = fitScalers(dataset, split);
    // of 1, 3, 5, 7
    const common = [{ mean: 4, scale: Math.fround(Math.sqrt(5)) }];
    expect(scalers).toEqual([common, common, common]);
  });

  test('gives every stream its own when channels are shared, and a stream without training rows the common one', () => {
    const scalers = fitScalers(dataset, split, { perStream: true });
    expect(scalers).toEqual([
      [{ mean: 2, scale: 1 }],
      [{ mean: 6, scale: 1 }],
      [{ mean: 4, scale: Math.fround(Math.sqrt(5)) }],
    ]);
  });

  test('knows streams of other scales from streams at other levels', () => {
    const [small, large] = [
      [1, 2, 1, 2],
      [10, 20, 10, 20],
    ];
    expect(scalesDiffer(makeDataset({ small, large }), split)).toBe(true);
    const apart = small.map((value) => value + 1000);
    const constant = [7, 7, 7, 7];
    expect(scalesDiffer(makeDataset({ small, apart, constant }), split)).toBe(false);
    const second = makeDataset({ a: [1, 5, 2, 6, 1, 5, 2, 6], b: [1, 5, 2, 50, 1, 5, 2, 90] }, ['x', 'y']);
    expect(scalesDiffer(second, split)).toBe(true);
  });

  test('scales a meter by how much it changes, and what comes back by how far it goes', () => {
    const frames = Array.from({ length: 240 }, (_, t) => t);
    const day = (t: number) => Math.sin((2 * Math.PI * t) / 24);
    const meters = makeDataset({ a: frames.map((t) => 20 * t + day(t)) });
    const rooms = makeDataset({ a: frames.map((t) => 20 + day(t)) });
    const all = { start: 100, trainEnd: 340, validationEnd: 340, end: 340 };
    const scaleOf = (dataset: typeof meters, lag?: number) =>
      fitScalers(dataset, all, lag === undefined ? {} : { lag })[0][0].scale;
    expect(scaleOf(meters)).toBeGreaterThan(1000);
    // three standard deviations of the day's changes: 2 sin over half a day, 0 over a whole one
    expect(scaleOf(meters, 24)).toBeCloseTo(3, 1);
    expect(scaleOf(rooms, 24)).toBe(scaleOf(rooms));
    // what repeats itself exactly on a slope seems not to change at all
    const clocks = makeDataset({ a: frames.map((t) => (t % 24) + 1000 * t) });
    expect(scaleOf(clocks, 48)).toBeCloseTo(scaleOf(clocks) / 1000, 2);
  });
});

test('holdMissing repeats the value before a gap, and the mean before the first value', () => {
  const [series] = makeDataset({ a: [gap, 1, gap, 2, 5, 3, gap, gap] }, ['x', 'y']).series;
  expect([...holdMissing(series, 0, 42)]).toEqual([42, 42, 5, 5]);
  expect([...holdMissing(series, 1, 42)]).toEqual([1, 2, 3, 3]);
});
