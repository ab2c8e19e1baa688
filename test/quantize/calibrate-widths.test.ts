import { describe, expect, test } from 'vitest';
import type { Dataset, Split } from '../../src/data/dataset.ts';
import type { Model } from '../../src/model/model.ts';
import { measureWidths, scaleWidths } from '../../src/quantize/calibrate-widths.ts';
import { createStreamRun, walkSeries } from '../../src/quantize/stream-run.ts';
import { makeDataset } from '../data/make-dataset.ts';
import { createDataset, createModel, splitOf } from '../fixtures/random-model.ts';

function calibrateWidths(model: Model, dataset: Dataset, split: Split): Model {
  return scaleWidths(model, measureWidths(model, dataset, split));
}

/** The share of truths below each level on validation, over all targets and steps. */
function sharesBelow(model: Model, dataset: Dataset, split: Split): number[] {
  const { quantiles, steps, targets } = model.output;
  const width = model.input.features;
  const below = quantiles.map(() => 0);
  let count = 0;
  dataset.series.forEach(({ values, firstSlot, length }, index) => {
    walkSeries(model, dataset, index, (row, answers) => {
      if (firstSlot + row + 1 < split.trainEnd) return;
      targets.forEach((target, m) => {
        if (Number.isNaN(values[row * width + target])) return;
        for (let s = 1; s <= steps && firstSlot + row + s < split.validationEnd && row + s < length; s++) {
          const truth = values[(row + s) * width + target];
          if (Number.isNaN(truth)) continue;
          count++;
          quantiles.forEach((_, q) => {
            if (truth < answers[(m * steps + s - 1) * quantiles.length + q]) below[q]++;
          });
        }
      });
    });
  });
  return below.map((n) => n / count);
}

const dataset = createDataset({ length: 1500, seed: 4 });
const split = splitOf(dataset);

/** Answers near the newest value, so that the truth lies on both sides of the point. */
function tame(model: Model): Model {
  const quiet = (values: Float32Array) => values.map((value) => 0.1 * value);
  const head = model.head as NonNullable<Model['head']>;
  return {
    ...model,
    head: {
      weights: { ...head.weights, values: quiet(head.weights.values) },
      bias: { ...head.bias, values: head.bias.values.map(() => 0.05) },
      skip: { ...head.skip, values: quiet(head.skip.values) },
    },
  };
}

describe('calibrated widths', () => {
  test.each([
    ['one level on each side', [0.1, 0.5, 0.9]],
    ['two below and one above', [0.05, 0.2, 0.5, 0.8]],
  ])('leave the share of each level below it, at validation: %s', (_, quantiles) => {
    const model = tame(createModel({ quantiles, swing: true, targets: [1, 0], phases: 2, lags: [1, 2] }));
    const before = sharesBelow(model, dataset, split);
    const after = sharesBelow(calibrateWidths(model, dataset, split), dataset, split);
    quantiles.forEach((level, q) => {
      if (level === 0.5) expect(after[q]).toBe(before[q]);
      else expect(Math.abs(after[q] - level)).toBeLessThan(0.01);
    });
    expect(Math.abs(before[0] - quantiles[0])).toBeGreaterThan(0.05);
  });

  test('are those of the rows of the head and the highway, times one factor', () => {
    const model = createModel({ quantiles: [0.1, 0.5, 0.9], steps: 1, highway: 'own' });
    const { head, highway } = calibrateWidths(model, dataset, split);
    const parts = [
      [head?.weights, model.head?.weights],
      [head?.bias, model.head?.bias],
      [head?.skip, model.head?.skip],
      [highway?.weights, model.highway?.weights],
      [highway?.bias, model.highway?.bias],
    ] as const;
    const factors = [0, 2].map((q) => (head?.bias.values[q] ?? 0) / (model.head?.bias.values[q] ?? 1));
    for (const [after, before] of parts) {
      const columns = (before?.values.length ?? 0) / 3;
      before?.values.forEach((value, i) => {
        const factor = [factors[0], 1, factors[1]][Math.floor(i / columns)];
        expect(after?.values[i]).toBeCloseTo(factor * value, 5);
      });
    }
    expect(factors.every((factor) => factor > 0 && Math.abs(factor - 1) > 0.01)).toBe(true);
  });

  test('count one truth to come: of four scores the largest is the level of 0.8, of three there is none', () => {
    // answers 0, distances 1; truths are raw, the scores of the upper level 1, 2, 3, 4
    const model = createModel({
      ...{ cell: 'none', features: 1, lags: [1], averages: [], steps: 1, quantiles: [0.5, 0.8] },
      plainOutput: true,
    });
    const highway = model.highway as NonNullable<Model['highway']>;
    const weights = { ...highway.weights, values: highway.weights.values.map(() => 0) };
    const flat = (distance: number): Model => ({
      ...model,
      input: { ...model.input, scalers: Float32Array.of(0, 1) },
      highway: { ...highway, weights, bias: { ...highway.bias, values: Float32Array.of(0, distance) } },
    });
    const borders = { start: 100, trainEnd: 102, validationEnd: 106, end: 107 };
    const factorOf = (values: number[], validationEnd = 106, distance = 1) =>
      calibrateWidths(flat(distance), makeDataset({ a: values }), { ...borders, validationEnd }).highway?.bias
        .values[1];
    expect(factorOf([0, 0, 3, 1, 4, 2, 99])).toBe(4);
    expect(factorOf([0, 0, 3, 1, 2, 99, 99], 105)).toBe(3);
    expect(factorOf([0, 0, 3, 1, 4, 2, 5, 1, 1, 99], 109)).toBe(5);
    // all of them on the other side: no width, not a negative one
    expect(factorOf([0, 0, -3, -1, -4, -2, 99])).toBe(0);
    // a width that was not learnt stays finite, one of nothing stays nothing
    expect(factorOf([0, 0, 3000, 1000, 4000, 2000, 99])).toBe(100);
    expect(factorOf([0, 0, 3, 1, 4, 2, 99], 106, 0)).toBe(0);
    expect(factorOf([0, 0, 0, 0, 0, 0, 99], 106, 0)).toBe(0);
    // nothing read: as it was learnt
    expect(factorOf([0, 0, Number.NaN, Number.NaN, Number.NaN, Number.NaN, 99])).toBe(1);
  });

  test('are all of a model that answers points', () => {
    const model = createModel();
    expect(calibrateWidths(model, dataset, split)).toEqual(model);
    expect(createStreamRun(model, '').step(10, [1, 2])).toHaveLength(3);
  });
});
