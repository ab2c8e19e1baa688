import { describe, expect, test } from 'vitest';
import type { Dataset } from '../../src/data/dataset.ts';
import { fitScalers } from '../../src/data/scalers.ts';
import { splitByTime } from '../../src/data/split.ts';
import { fitFills, fitStreams } from '../../src/train/fit-inputs.ts';
import { makeDataset } from '../data/make-dataset.ts';
import { syntheticDataset } from '../fixtures/series.ts';

function fitted(dataset: Dataset, season = 24) {
  const split = splitByTime(dataset, [0.6, 0.2, 0.2]);
  return fitFills(dataset, split, { season, scalers: fitScalers(dataset, split) });
}

/** The dataset with something written over the values of its series. */
function changed(dataset: Dataset, change: (values: Float32Array) => void): Dataset {
  for (const { values } of dataset.series) change(values);
  return dataset;
}

describe('the fill of a training', () => {
  test('is that of the training part, for each feature', () => {
    const features = ['x', 'y'];
    const whole = syntheticDataset({ length: 1000, features, noise: 0.01 });
    const fill = fitted(whole).fill as Float32Array;
    expect(fill.length).toBe(4);
    // waves of little noise are followed nearly whole
    expect(fill[0]).toBeGreaterThan(0.8);
    expect(fill[2]).toBeGreaterThan(0.8);
    // validation and test are not looked at
    const later = changed(syntheticDataset({ length: 1000, features, noise: 0.01 }), (values) =>
      values.fill(0, 2 * 600),
    );
    expect(fitted(later).fill).toEqual(fill);
  });

  test('is none where no feature has a season to follow', () => {
    expect(fitted(syntheticDataset({ length: 1000 }), 1)).toEqual({});
  });
});

describe('the streams of a training', () => {
  const split = splitByTime(makeDataset({ a: [1, 2, 3, 4, 5] }), [0.6, 0.2, 0.2]);
  const unit = [{ mean: 0, scale: 2 }];

  test('are named, with the mean square of their steps in z-scores', () => {
    const dataset = makeDataset({ a: [0, 2, 6, 100, 0], b: [0, 0, 0, 50, 0] });
    const { streams, spread } = fitStreams(dataset, split, { scalers: [unit, unit], channels: [] });
    expect([...(streams ?? [])]).toEqual(['a', 'b']);
    expect(spread).toEqual(Float32Array.of((1 + 4) / 4));
  });

  test('are not named where they are channels: those are named already', () => {
    const found = fitStreams(makeDataset({ a: [0, 2, 6, 1, 0] }), split, {
      scalers: [unit],
      channels: ['a'],
    });
    expect(found).toEqual({ spread: Float32Array.of(2.5) });
  });

  test('are all known when they are more than a file names', () => {
    const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`s${i}`, [1, 2, 3, 4, 5]]));
    const scalers = Object.keys(many).map(() => unit);
    expect(fitStreams(makeDataset(many), split, { scalers, channels: [] })).toEqual({});
  });
});
