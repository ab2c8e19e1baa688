import { describe, expect, test } from 'vitest';
import type { Model } from '../../src/model/model.ts';
import { measureDrift } from '../../src/quantize/drift.ts';
import { quantizeModel } from '../../src/quantize/quantize-model.ts';
import { createDataset, createModel, splitOf } from '../fixtures/random-model.ts';

const dataset = createDataset({ length: 200 });
const split = splitOf(dataset);

describe('drift', () => {
  test('of a model from itself is exactly 0, in every block', () => {
    const model = createModel({ weights: 'int8', phases: 3, lags: [1, 2, 3] });
    const drift = measureDrift(model, model, dataset, split, 400);
    expect(drift.hidden).toEqual(new Array(40).fill(0));
    expect(drift.output).toEqual(new Array(40).fill(0));
    expect([drift.hiddenOverall, drift.outputOverall]).toEqual([0, 0]);
  });

  test.each([
    [false, 0.02],
    [true, 0.001],
  ])('of a random LSTM with wide %s is small but not nothing', (wide, most) => {
    const float = createModel({ layers: 2, hidden: 12 });
    const drift = measureDrift(quantizeModel(float, { wide }), float, dataset, split, 2000);
    for (const value of [drift.hiddenOverall, drift.outputOverall]) {
      expect(value).toBeLessThan(most);
      expect(value).toBeGreaterThan(1e-6);
    }
    expect(Math.max(...drift.hidden)).toBeLessThan(2 * most);
  });

  test('says for every layer how far its h is, and what it costs the outputs alone', () => {
    const float = createModel({ layers: 3, hidden: 6 });
    const int8 = quantizeModel(float);
    // integers in the middle layer alone
    const layers = float.layers.map((layer, l) => (l === 1 ? int8.layers[l] : layer));
    const drift = measureDrift({ ...float, layers }, float, dataset, split, 400);
    expect(drift.layers[0]).toEqual({ hidden: 0, alone: 0 });
    expect(drift.layers[1].hidden).toBeGreaterThan(1e-4);
    expect(drift.layers[1].alone).toBeCloseTo(drift.outputOverall, 12);
    // it passes its error on
    expect(drift.layers[2].hidden).toBe(drift.hiddenOverall);
    expect(drift.layers[2].hidden).toBeGreaterThan(1e-4);
    expect(drift.layers[2].alone).toBe(0);
    expect(measureDrift(int8, float, dataset, split, 400).layers[1].alone).toBeCloseTo(
      drift.outputOverall,
      12,
    );
  });

  test('looks at validation and at nothing of the test part', () => {
    const float = createModel();
    const [first] = dataset.series;
    const row = split.validationEnd - first.firstSlot;
    const series = dataset.series.map((one) => ({ ...one, values: one.values.slice() }));
    for (const { values } of series) values.fill(1e6, (row + 6) * 2);
    const int8 = quantizeModel(float);
    expect(measureDrift(int8, float, { ...dataset, series }, split, 400)).toEqual(
      measureDrift(int8, float, dataset, split, 400),
    );
  });

  test('counts the steps at the end of each of 40 blocks', () => {
    const model = createModel();
    const { steps } = measureDrift(model, model, dataset, split, 2000);
    expect(steps).toEqual(Array.from({ length: 40 }, (_, i) => 50 * (i + 1)));
  });

  test('is the error relative to what float says, by root mean square', () => {
    const float = createModel({ cell: 'none', steps: 2 });
    const highway = float.highway as NonNullable<Model['highway']>;
    const constant = (...values: number[]): Model => ({
      ...float,
      highway: {
        ...highway,
        weights: { ...highway.weights, values: highway.weights.values.map(() => 0) },
        bias: { ...highway.bias, values: Float32Array.from(values) },
      },
    });
    // errors 1 and 1 beside 3 and 4
    const drift = measureDrift(constant(4, 5), constant(3, 4), dataset, split, 80);
    expect(drift.outputOverall).toBeCloseTo(Math.sqrt(2 / 25), 12);
    expect(drift.output[17]).toBeCloseTo(Math.sqrt(2 / 25), 12);
    expect(drift.hiddenOverall).toBe(0);
  });
});
