import { describe, expect, test } from 'vitest';
import type { Dataset, Split } from '../../src/data/dataset.ts';
import type { Model } from '../../src/model/model.ts';
import { measureResiduals } from '../../src/quantize/calibration.ts';
import { makeDataset } from '../data/make-dataset.ts';
import { createModel, type ModelShape } from '../fixtures/random-model.ts';

const gap = Number.NaN;

/** Answers with the newest value plus one number an output: residuals can be counted on the fingers. */
function repeatNewest(shape: Partial<ModelShape>, plus: number[], scalers: number[]): Model {
  const model = createModel({ cell: 'none', features: 1, lags: [1], averages: [], ...shape });
  const highway = model.highway as NonNullable<Model['highway']>;
  const weights = { ...highway.weights, values: highway.weights.values.map(() => 0) };
  return {
    ...model,
    input: { ...model.input, scalers: Float32Array.from(scalers) },
    highway: { ...highway, weights, bias: { ...highway.bias, values: Float32Array.from(plus) } },
  };
}

// slots 100..103 train, 104..107 validation, then test
const split: Split = { start: 100, trainEnd: 104, validationEnd: 108, end: 110 };

/** The quantiles of one row, keyed by level. */
function quantilesOf({ calibration }: ReturnType<typeof measureResiduals>, row = 0): Record<string, number> {
  const { levels, residuals } = calibration;
  const rows = residuals.length / levels.length;
  return Object.fromEntries(levels.map((level, i) => [level, residuals[i * rows + row]]));
}

describe('residuals on validation', () => {
  const values = [0, 5, 1, 2, 3, 7, 6, 10, 99, 99];
  const model = repeatNewest({ steps: 2 }, [0, 0], [0, 1]);

  test('are truth minus forecast for every step, where all of it lies in validation', () => {
    const result = measureResiduals(model, makeDataset({ a: values }), split);
    // one step: 3 - 2, 7 - 3, 6 - 7, 10 - 6, the first from the last row of training; nothing of the test part
    const first = quantilesOf(result, 0);
    expect([first['0.25'], first['0.5'], first['0.75']]).toEqual([0.5, 2.5, 4]);
    // two steps: 7 - 2, 6 - 3, 10 - 7
    const second = quantilesOf(result, 1);
    expect([second['0.25'], second['0.5'], second['0.75']]).toEqual([3, 3, 4]);
    expect(result.mse).toBe((1 + 16 + 1 + 16 + 25 + 9 + 9) / 7);
  });

  test('interpolate between neighbors by type 7', () => {
    const { calibration } = measureResiduals(model, makeDataset({ a: values }), split);
    expect(calibration.levels).toEqual([0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975]);
    // of -1, 1, 4, 4: position 3 * level
    const expected = [-0.85, -0.7, -0.4, 0.5, 2.5, 4, 4, 4, 4].map(Math.fround);
    expect(calibration.levels.map((_, i) => calibration.residuals[2 * i])).toEqual(expected);
  });

  test('pass over targets that were not read, and are none of an origin that was not', () => {
    const missing = makeDataset({ a: [0, 5, 1, 2, 3, gap, 6, 10, 99, 99] });
    missing.series[0].present[5] = 0;
    const result = measureResiduals(model, missing, split);
    // one step: 3 - 2 and 10 - 6; row 5 has no truth and no forecast, and 6 holds its place
    expect(quantilesOf(result, 0)).toMatchObject({ '0.5': 2.5 });
    // two steps: 6 - 3
    expect(quantilesOf(result, 1)).toMatchObject({ '0.025': 3, '0.975': 3 });
    expect(result.mse).toBe((1 + 16 + 9) / 3);
  });

  test('gather all streams, each at its own place in time', () => {
    const dataset = makeDataset({ a: values, b: { firstSlot: 103, values: [10, 10, 20, 10, 10, 99] } });
    const result = measureResiduals(repeatNewest({ steps: 1 }, [0], [0, 1]), dataset, split);
    // 1, 4, -1, 4 of a and 0, 10, -10, 0 of b
    expect(result.mse).toBe((1 + 16 + 1 + 16 + 0 + 100 + 100 + 0) / 8);
    expect(quantilesOf(result)['0.5']).toBe(0.5);
  });

  test('stay in target units, while the error is in those of the scaler', () => {
    const result = measureResiduals(
      repeatNewest({ steps: 1 }, [0], [50, 2]),
      makeDataset({ a: values }),
      split,
    );
    expect(quantilesOf(result)['0.5']).toBe(2.5);
    expect(result.mse).toBe((1 + 16 + 1 + 16) / 4 / 4);
  });

  test('use the channel of a stream: its highway, and its scaler in units of the common one', () => {
    const shape: Partial<ModelShape> = { steps: 1, channels: ['b'], groups: 'each' };
    // unknown streams get 1 more, b gets 3 more; scales 1 and 2
    const each = repeatNewest(shape, [1, 3], [0, 1, 0, 2]);
    const flat = makeDataset({ a: new Array(10).fill(8), b: new Array(10).fill(8) });
    const only = (index: number): Dataset => ({ ...flat, series: [flat.series[index]] });
    expect(quantilesOf(measureResiduals(each, only(0), split))['0.5']).toBe(-1);
    expect(quantilesOf(measureResiduals(each, only(1), split))['0.5']).toBe(-6 / 2);
    expect(measureResiduals(each, only(1), split).mse).toBe(9);
  });

  test('are left out where the model answers quantiles itself; their point is the one nearest the median', () => {
    const shape = { steps: 2, quantiles: [0.1, 0.4, 0.9] };
    const result = measureResiduals(
      repeatNewest(shape, [-9, 1, 9, -9, 2, 9], [0, 1]),
      makeDataset({ a: new Array(10).fill(8) }),
      split,
    );
    expect(result.calibration.levels).toEqual([]);
    // 1 and 2 off
    expect(result.mse).toBe((4 * 1 + 3 * 4) / 7);
  });

  test('come target by target, then step by step', () => {
    const dataset = makeDataset({ a: Array.from({ length: 20 }, () => 8) }, ['x', 'y']);
    const shape = { features: 2, targets: [1, 0], steps: 2 };
    const result = measureResiduals(repeatNewest(shape, [1, 2, 3, 4], [0, 1, 0, 1]), dataset, split);
    expect([0, 1, 2, 3].map((row) => quantilesOf(result, row)['0.5'])).toEqual([-1, -2, -3, -4]);
  });

  test('are left out altogether when one step has none', () => {
    const result = measureResiduals(
      repeatNewest({ steps: 6 }, [0, 0, 0, 0, 0, 0], [0, 1]),
      makeDataset({ a: values }),
      split,
    );
    expect(result.calibration).toEqual({ levels: [], residuals: new Float32Array(0) });
    expect(result.mse).toBeGreaterThan(0);
  });
});
