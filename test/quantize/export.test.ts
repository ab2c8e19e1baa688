import { describe, expect, test } from 'vitest';
import type { Dataset } from '../../src/data/dataset.ts';
import { proveGolden } from '../../src/engine/self-test.ts';
import type { Model } from '../../src/model/model.ts';
import { COST_LIMIT, exportModels, finishModel } from '../../src/quantize/export.ts';
import { QuantizeError, quantizeModel } from '../../src/quantize/quantize-model.ts';
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

  test('rounds by data and reports every layer', () => {
    const dataset = createDataset({ length: 300 });
    const stack = createModel({ layers: 2, hidden: 12 });
    const { served, report } = exportModels(stack, dataset, splitOf(dataset), { wide: 'auto' });
    expect(report?.rounding).toBe('data');
    expect(served.layers).not.toEqual(quantizeModel(stack).layers);
    expect(report?.wideLayers).toEqual([false, false]);
    const layers = report?.drift.layers ?? [];
    expect(layers.map(({ hidden }) => hidden)[1]).toBe(report?.drift.hiddenOverall);
    for (const { hidden, alone } of layers) expect(Math.min(hidden, alone)).toBeGreaterThan(1e-5);
    expect(Math.max(...layers.map(({ alone }) => alone))).toBeLessThan(
      2 * (report?.drift.outputOverall ?? 0),
    );
  });

  test('widens the layer that costs most, and no more than are needed', () => {
    const dataset = createDataset({ length: 300 });
    const split = splitOf(dataset);
    const stack = createModel({ layers: 3, hidden: 12 });
    const narrow = exportModels(stack, dataset, split, { wide: false }).report?.drift;
    const costs = narrow?.layers.map(({ alone }) => alone) ?? [];
    const worst = costs.indexOf(Math.max(...costs));
    const outputLimit = 0.95 * (narrow?.outputOverall ?? 0);
    const { served, report } = exportModels(stack, dataset, split, { wide: 'auto', outputLimit });
    expect(report?.wideLayers).toEqual([0, 1, 2].map((l) => l === worst));
    expect(served.layers.map(({ hiddenLimit }) => hiddenLimit === 2047)).toEqual(report?.wideLayers);
    expect(report?.drift.layers[worst].alone).toBeLessThan(costs[worst]);
    expect(proveGolden(served)).toBeUndefined();
  });
});

describe('fine-tuning', () => {
  const dataset = createDataset({ features: 1, length: 200 });
  const split = splitOf(dataset);
  // networks that know nothing of the data: some are better by chance
  const seeds = [21, 22, 23, 24, 25].map((seed) => createModel({ seed, features: 1, hidden: 4 }));
  const sorted = seeds
    .map((one) => ({ one, mse: finishModel(quantizeModel(one), dataset, split).mse }))
    .sort((a, b) => a.mse - b.mse);
  const [better, worse] = [sorted[0], sorted[4]];
  /** As if the float model made errors of that size. */
  const costing = (share: number, { one, mse }: typeof worse) => ({
    wide: false as const,
    float: { ...finishModel(one, dataset, split), mse: mse / (1 + share) },
  });

  test('takes the place of weights that cost more, rounded to the nearest integers', () => {
    const options = { ...costing(worse.mse / better.mse - 1, worse), fineTune: () => better.one };
    const { float, served, report } = exportModels(worse.one, dataset, split, options);
    expect(report?.rounding).toBe('trained');
    expect(served.layers).toEqual(quantizeModel(better.one).layers);
    expect(report?.cost).toBeCloseTo(0, 12);
    expect(float.layers).toEqual(worse.one.layers);
  });

  test('is dropped where it makes nothing better', () => {
    const options = { ...costing(0.005, better), fineTune: () => worse.one };
    const { report } = exportModels(better.one, dataset, split, options);
    expect(report?.rounding).not.toBe('trained');
    expect(report?.cost).toBeGreaterThan(0.002);
  });

  test.each([
    ['8 bits cost no more than .2 %', false, 0.0005],
    ['12 bits do', 'auto', 0],
    ['12 bits were asked for', true, 0.005],
  ] as const)('is not tried where %s', (_, wide, share) => {
    const fineTune = () => {
      throw new Error('tried');
    };
    const options = { ...costing(share, better), wide, fineTune };
    expect(exportModels(better.one, dataset, split, options).report?.rounding).not.toBe('trained');
  });
});
