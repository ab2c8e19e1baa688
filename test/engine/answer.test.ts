import { describe, expect, test } from 'vitest';
import { createAnswerReader, createForecast } from '../../src/engine/answer.ts';
import type { Model } from '../../src/model/model.ts';
import { createModel } from '../fixtures/random-model.ts';

/** A forecast with its values 0, 1, 2, ... */
function countingForecast(model: Model) {
  const forecast = createForecast(model);
  forecast.values.forEach((_, i) => {
    forecast.values[i] = i;
  });
  return forecast;
}

describe('a forecast', () => {
  test('is ordered by target, then step', () => {
    const forecast = countingForecast(createModel({ targets: [1, 0], steps: 3 }));
    expect([1, 2, 3].map((step) => forecast.at(step))).toEqual([0, 1, 2]);
    expect([1, 2, 3].map((step) => forecast.at(step, 1))).toEqual([3, 4, 5]);
  });

  test('gives its interval by the residuals of validation at 10 and 90 %', () => {
    const model = createModel({ targets: [0, 1], steps: 2 });
    // [levels, M * N]
    const residuals = Float32Array.of(-1, -2, -3, -4, 0, 0, 0, 0, 1, 2, 3, 4);
    const forecast = countingForecast({ ...model, calibration: { levels: [0.1, 0.5, 0.9], residuals } });
    expect([forecast.low(1), forecast.low(2), forecast.low(1, 1), forecast.low(2, 1)]).toEqual([
      -1, -1, -1, -1,
    ]);
    expect([forecast.high(1), forecast.high(2), forecast.high(1, 1), forecast.high(2, 1)]).toEqual([
      1, 3, 5, 7,
    ]);
  });

  test('gives an interval as wide as its stream moves beside those of the training', () => {
    const model = createModel({ targets: [0, 1], steps: 1 });
    const calibration = { levels: [0.1, 0.9], residuals: Float32Array.of(-1, -2, 1, 2) };
    const forecast = countingForecast({ ...model, calibration });
    forecast.factors.set([3, 0.5]);
    expect([forecast.low(1), forecast.high(1)]).toEqual([-3, 3]);
    expect([forecast.low(1, 1), forecast.high(1, 1)]).toEqual([0, 2]);
  });

  test('gives its interval by its own quantiles where it has them', () => {
    const forecast = countingForecast(createModel({ targets: [0, 1], steps: 2, quantiles: [0.1, 0.5, 0.9] }));
    expect([forecast.low(1), forecast.at(1), forecast.high(1)]).toEqual([0, 1, 2]);
    expect([forecast.low(2, 1), forecast.at(2, 1), forecast.high(2, 1)]).toEqual([9, 10, 11]);
  });

  test('takes the quantile nearest the median for its point, and residuals for the ends that are not there', () => {
    const model = createModel({ steps: 1, quantiles: [0.2, 0.45, 0.9] });
    const calibration = { levels: [0.1, 0.9], residuals: Float32Array.of(-5, 5) };
    const forecast = countingForecast({ ...model, calibration });
    expect([forecast.low(1), forecast.at(1), forecast.high(1)]).toEqual([-4, 1, 2]);
  });

  test('gives any level that it has, and NaN for others', () => {
    const forecast = countingForecast(createModel({ targets: [0, 1], steps: 2, quantiles: [0.1, 0.5, 0.9] }));
    expect([0.1, 0.5, 0.9, 0.2].map((level) => forecast.quantile(level, 2, 1))).toEqual([
      9,
      10,
      11,
      Number.NaN,
    ]);
    const points = {
      ...createModel({ steps: 1 }),
      calibration: { levels: [0.2], residuals: Float32Array.of(-5) },
    };
    expect(countingForecast(points).quantile(0.2, 1)).toBe(-5);
    expect(() => forecast.quantile(0.5, 3)).toThrow('step 3, expected 1..2');
  });

  test('has no interval without either', () => {
    const model = createModel();
    const forecast = countingForecast({
      ...model,
      calibration: { levels: [], residuals: new Float32Array(0) },
    });
    expect([forecast.low(1), forecast.high(1)]).toEqual([Number.NaN, Number.NaN]);
  });
});

test('plain answers are the outputs, in the raw units of target and channel', () => {
  const model = createModel({ targets: [1, 0], steps: 2, plainOutput: true });
  const scalers = Float32Array.of(10, 2, 100, 4);
  const read = createAnswerReader({ ...model, input: { ...model.input, scalers } });
  const values = new Float32Array(4);
  read(Float32Array.of(0.5, 1, 1.5, 2), 0, 0, Float32Array.of(7), 0, -1, 0, {
    values,
    factors: Float32Array.of(2, 3),
  });
  read(Float32Array.of(0.5, 1, 1.5, 2), 0, 1, Float32Array.of(7), 0, -1, 0, {
    values,
    factors: Float32Array.of(2, 3),
  });
  expect([...values]).toEqual([100 + 4 * 0.5, 100 + 4 * 1, 10 + 2 * 1.5, 10 + 2 * 2]);
});

test('answers are the newest value plus the factor times the increment, in the raw units of target and channel', () => {
  const model = createModel({ targets: [1, 0], steps: 2, channels: ['LGA'] });
  // [1 + channels, F, 2]
  const scalers = Float32Array.of(0, 1, 0, 1, 10, 2, 100, 4);
  const read = createAnswerReader({ ...model, input: { ...model.input, scalers } });
  const outputs = Float32Array.of(9, 9, 9, 9, 0.5, 1, 1.5, 2);
  const memory = Float32Array.of(7, 3, -1);
  const factors = Float32Array.of(1, 2);
  const values = new Float32Array(4);
  read(outputs, 1, 0, memory, 1, -1, 1, { values, factors });
  expect([...values]).toEqual([100 + 4 * 3.5, 100 + 4 * 4, 0, 0]);
  read(outputs, 1, 1, memory, 2, -1, 1, { values, factors });
  expect([...values].slice(2)).toEqual([10 + 2 * (-1 + 2 * 1.5), 10 + 2 * (-1 + 2 * 2)]);
  // what its residual intervals are to be multiplied by: scales 4 and 2 beside 1 and 1
  expect([...factors]).toEqual([4, 4]);
});

test('quantiles lie outwards from their point by distances times the swing to the power of 3/4, and never cross', () => {
  const model = createModel({ steps: 2, quantiles: [0.05, 0.1, 0.5, 0.9] });
  const scalers = Float32Array.of(10, 2, 100, 4);
  const read = createAnswerReader({ ...model, input: { ...model.input, scalers } });
  const values = new Float32Array(8);
  const factors = Float32Array.of(1);
  const outputs = Float32Array.of(1, 2, 0.5, 3, -1, -2, -0.5, -3);
  read(outputs, 0, 0, Float32Array.of(7, 1 / 16), 0, 1, 0, { values, factors });
  const raw = (z: number) => 10 + 2 * z;
  expect([...values]).toEqual([
    ...[7.5 - 0.25 - 0.125, 7.5 - 0.25, 7.5, 7.5 + 0.375].map(raw),
    ...[6.5 - 0.25 - 0.125, 6.5 - 0.25, 6.5, 6.5 + 0.375].map(raw),
  ]);
});
