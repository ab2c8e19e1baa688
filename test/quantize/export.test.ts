import { describe, expect, test } from 'vitest';
import type { Dataset } from '../../src/data/dataset.ts';
import { proveGolden } from '../../src/engine/self-test.ts';
import type { Model } from '../../src/model/model.ts';
import { COST_LIMIT, exportModels } from '../../src/quantize/export.ts';
import { QuantizeError } from '../../src/quantize/quantize-model.ts';
import { createStreamRun } from '../../src/quantize/stream-run.ts';
import { createDataset, createDice, createModel, splitOf } from '../fixtures/random-model.ts';

/** A stream that follows the model's own one-step forecasts but for noise: any error of int8 shows beside it. */
function followForecasts(model: Model, noise: number): Dataset {
  const dataset = createDataset({ features: 1, streams: 1, length: 300 });
  const [series] = dataset.series;
  const run = createStreamRun(model, series.stream);
  const dice = createDice(9);
  const values = new Float32Array(series.length);
  let next = 21;
  for (let row = 0; row < series.length; row++) {
    values[row] = next + noise * (2 * dice.next() - 1);
    const [answer] = run.step(series.firstSlot + row, [values[row]]) as Float32Array;
    next = answer;
  }
  return { ...dataset, series: [{ ...series, values, present: new Uint8Array(series.length).fill(1) }] };
}

const model = createModel({ features: 1, steps: 1, hidden: 8, lags: [1, 2], averages: [6] });

describe('an export', () => {
  test('gives the float model and its int8 twin, each with calibration and golden vectors of its own', () => {
    const dataset = createDataset({ features: 1, length: 300 });
    const { float, served, report } = exportModels(model, dataset, splitOf(dataset), { wide: 'auto' });
    expect(float.layers).toEqual(model.layers);
    expect(served.layers.map(({ recurrentWeights }) => recurrentWeights?.kind)).toEqual(['int8']);
    expect([proveGolden(float), proveGolden(served)]).toEqual([undefined, undefined]);
    expect(float.golden.outputs).not.toEqual(served.golden.outputs);
    expect(float.calibration.residuals).not.toEqual(served.calibration.residuals);
    expect(Math.abs(report?.cost ?? 1)).toBeLessThan(COST_LIMIT);
    expect(report?.wide).toBe(false);
    expect(report?.drift.steps.at(-1)).toBe(10_000);
  });

  test.each(['gru', 'rnn', 'feedforward', 'none'] as const)(
    'serves a %s in float, without a report',
    (cell) => {
      const dataset = createDataset({ length: 200 });
      const { float, served, report } = exportModels(createModel({ cell }), dataset, splitOf(dataset), {
        wide: 'auto',
      });
      expect(served).toBe(float);
      expect(report).toBeUndefined();
      expect(proveGolden(served)).toBeUndefined();
    },
  );

  test('is wide when plain int8 costs more than 1 % and wide does not', () => {
    const dataset = followForecasts(model, 0.005);
    const split = splitOf(dataset);
    expect(() => exportModels(model, dataset, split, { wide: false })).toThrow(QuantizeError);
    const { served, report } = exportModels(model, dataset, split, { wide: 'auto' });
    expect(report?.wide).toBe(true);
    expect(served.layers[0].hiddenLimit).toBe(2047);
    expect(Math.abs(report?.cost ?? 1)).toBeLessThan(COST_LIMIT);
  });

  test('is wide when that is asked for', () => {
    const dataset = createDataset({ features: 1, length: 200 });
    const { report } = exportModels(model, dataset, splitOf(dataset), { wide: true });
    expect(report?.wide).toBe(true);
  });

  test('is refused, with the cost and the limit, when neither will do', () => {
    const dataset = followForecasts(model, 0);
    const attempt = () => exportModels(model, dataset, splitOf(dataset), { wide: 'auto' });
    expect(attempt).toThrow(QuantizeError);
    expect(attempt).toThrow(/^int8 costs .* % of the validation error, the limit is 1 %; train longer/);
  });
});
