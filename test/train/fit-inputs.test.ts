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
  const wave = (scale: number) => Array.from({ length: 40 }, (_, t) => scale * (t % 2));
  const split = splitByTime(makeDataset({ a: wave(1) }), [0.6, 0.2, 0.2]);
  const unit = [{ mean: 0, scale: 2 }];
  const streamsOf = (streams: Parameters<typeof makeDataset>[0], channels: readonly string[] = []) => {
    const dataset = makeDataset(streams);
    return fitStreams(dataset, split, { scalers: dataset.series.map(() => unit), channels });
  };

  test('are named, with the mean square of their steps in z-scores', () => {
    // what comes after the training part is not looked at
    const late = wave(4).map((value, t) => (t < 24 ? value : 1000));
    const { streams, spread } = streamsOf({ a: wave(2), b: late });
    expect([...(streams ?? [])]).toEqual(['a', 'b']);
    expect(spread).toEqual(Float32Array.of((1 + 4) / 2));
  });

  test('are not named where they are channels: those are named already', () => {
    expect(streamsOf({ a: wave(2) }, ['a'])).toEqual({ spread: Float32Array.of(1) });
  });

  test('are those that moved in the training part: the scale of any other is still to be learnt', () => {
    const still = new Array(40).fill(7);
    const few = wave(2).map((value, t) => (t < 16 ? value : Number.NaN));
    const streams = { a: wave(2), still, few, late: { firstSlot: split.trainEnd, values: wave(2) } };
    expect([...(streamsOf(streams).streams ?? [])]).toEqual(['a']);
    expect([...(streamsOf(streams, Object.keys(streams)).streams ?? [])]).toEqual(['a']);
  });

  test('are all known when they are more than a file names', () => {
    const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`s${i}`, [1, 2, 3, 4, 5]]));
    expect(streamsOf(many)).toEqual({});
  });
});
