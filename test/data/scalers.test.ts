import { describe, expect, test } from 'vitest';
import { holdMissing } from '../../src/data/held.ts';
import { fitScalers } from '../../src/data/scalers.ts';
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
});

test('holdMissing repeats the value before a gap, and the mean before the first value', () => {
  const [series] = makeDataset({ a: [gap, 1, gap, 2, 5, 3, gap, gap] }, ['x', 'y']).series;
  expect([...holdMissing(series, 0, 42)]).toEqual([42, 42, 5, 5]);
  expect([...holdMissing(series, 1, 42)]).toEqual([1, 2, 3, 3]);
});
