import { describe, expect, test } from 'vitest';
import type { Dataset } from '../../src/data/dataset.ts';
import { shareRuns } from '../../src/train/layout.ts';
import { createRuns } from '../../src/train/runs.ts';
import { makeDataset } from '../data/make-dataset.ts';

const gap = Number.NaN;

/** Rows that are all gap were not read at all. */
function withAbsent(dataset: Dataset): Dataset {
  const width = dataset.features.length;
  const series = dataset.series.map((one) => ({
    ...one,
    present: one.present.map((_, row) =>
      one.values.subarray(row * width, (row + 1) * width).every(Number.isNaN) ? 0 : 1,
    ),
  }));
  return { ...dataset, series };
}

const unit = { mean: 0, scale: 1 };
const options = {
  spec: { features: 1, lags: [1, 2], averages: [], mask: false },
  gapLimit: 2,
  targets: [0],
  scalers: [[unit], [{ mean: 100, scale: 10 }]],
};

function runsOf(values: readonly number[]) {
  return createRuns(withAbsent(makeDataset({ a: values })), options);
}

describe('a series is cut into runs', () => {
  test('at gaps beyond the limit alone', () => {
    const runs = runsOf([1, 2, gap, gap, 3, 4, gap, gap, gap, 5, 6]);
    expect(runs.map(({ firstSlot, length }) => [firstSlot, length])).toEqual([
      [100, 6],
      [109, 2],
    ]);
  });

  test('that begin and end with a row that was read', () => {
    expect(runsOf([gap, 1, 2, gap]).map(({ firstSlot, length }) => [firstSlot, length])).toEqual([[101, 2]]);
    expect(runsOf([gap, gap])).toEqual([]);
  });
});

describe('a run', () => {
  test('holds the newest value over missing ones, and tells which were read', () => {
    const [run] = runsOf([1, 2, gap, gap, 5]);
    expect([...run.targets]).toEqual([1, 2, 2, 2, 5]);
    expect([...run.read]).toEqual([1, 1, 0, 0, 1]);
  });

  test('has the differences to the lags as inputs, none at its first row', () => {
    const [run] = runsOf([1, 2, gap, 4, 9]);
    // x[t-1] - x[t], x[t-2] - x[t]
    expect([...run.inputs]).toEqual([0, 0, -1, -1, 0, -1, -2, -2, -5, -7]);
  });

  test('starts anew behind a long gap', () => {
    const [, run] = runsOf([1, 2, gap, gap, gap, 5, 7]);
    expect([...run.inputs]).toEqual([0, 0, -2, -2]);
  });

  test('is scaled by its own series, its targets in the order asked for', () => {
    const dataset = makeDataset({ a: [1, 110, 2, 120], b: [3, 130, gap, 90] }, ['x', 'y']);
    const scaled = { mean: 100, scale: 10 };
    const runs = createRuns(dataset, {
      ...options,
      spec: { ...options.spec, features: 2, lags: [1] },
      targets: [1, 0],
      scalers: [
        [unit, scaled],
        [scaled, scaled],
      ],
    });
    expect(runs.map(({ series }) => series)).toEqual([0, 1]);
    expect([...runs[0].targets]).toEqual([1, 1, 2, 2]);
    expect([...runs[0].inputs]).toEqual([0, 0, -1, -1]);
    expect([...runs[1].targets].map((z) => z.toFixed(1))).toEqual(['3.0', '-9.7', '-1.0', '-9.7']);
    expect([...runs[1].read]).toEqual([1, 1, 1, 0]);
  });

  test('takes the training mean for what is missing at its first row, and never for a truth', () => {
    const dataset = makeDataset({ a: [gap, 1, 5, 2] }, ['x', 'y']);
    const scalers = [[{ mean: 4, scale: 2 }, unit]];
    const [run] = createRuns(dataset, { ...options, spec: { ...options.spec, features: 2 }, scalers });
    expect([...run.targets]).toEqual([0, 0.5]);
    expect([...run.read]).toEqual([0, 1]);
  });

  test('takes an absurd reading for a missing one', () => {
    const [run] = runsOf([1, 2e7, 3]);
    expect([...run.targets]).toEqual([1, 1, 3]);
    expect([...run.read]).toEqual([1, 0, 1]);
  });
});

test('all numbers of shared runs lie in memory that every thread reads', () => {
  const [run] = createRuns(makeDataset({ a: [1, 2, 3] }), { ...options, scalers: [[unit]] });
  const [shared] = shareRuns([{ ...run, base: new Float32Array(3).fill(7) }]);
  for (const name of ['inputs', 'targets', 'read', 'base'] as const) {
    expect(shared[name]?.buffer).toBeInstanceOf(SharedArrayBuffer);
  }
  expect([...(shared.base ?? [])]).toEqual([7, 7, 7]);
});
