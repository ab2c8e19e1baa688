import { describe, expect, test } from 'vitest';
import { loadJfk } from '../../bench/baselines.ts';
import { fitRidge, pickRidge, type RidgeVariant } from '../../src/baselines/ridge.ts';
import { shareChannels } from '../../src/data/channels.ts';
import type { Dataset, Split } from '../../src/data/dataset.ts';
import { holdAll } from '../../src/data/held.ts';
import { fitScalers } from '../../src/data/scalers.ts';
import { splitByTime } from '../../src/data/split.ts';
import { backtest } from '../../src/evaluate/backtest.ts';
import {
  highwaySize,
  layoutPast,
  pushFrame,
  startPast,
  writeHighwayInputs,
} from '../../src/signal/inputs.ts';
import { normalize } from '../../src/signal/scaler.ts';
import { makeDataset } from '../data/make-dataset.ts';

const wave = (length: number, shift = 0) =>
  Array.from({ length }, (_, t) => 20 + 5 * Math.sin((t + shift) / 4) + 2 * Math.cos((t + shift) / 11));

function fitOn(
  dataset: Dataset,
  shares: readonly number[],
  { steps = 3, perStream = false, targets = [0] } = {},
) {
  const split = splitByTime(dataset, shares);
  const scalers = fitScalers(dataset, split, { perStream });
  return { split, scalers, variants: fitRidge({ dataset, split, scalers, targets, steps }) };
}

const namesOf = (variants: readonly RidgeVariant[]) => variants.map(({ name }) => name);

describe('ridge on the weather of one station', () => {
  const jfk = loadJfk('models/nyc-weather/weather.csv');
  const steps = 24;
  const { split, scalers, variants } = fitOn(jfk, [0.6, 0.2, 0.2], { steps });

  test('has all four variants', () => {
    expect(namesOf(variants)).toEqual(['own96', 'own336', 'own336each', 'all12']);
  });

  test.each(namesOf(variants))(
    '%s states the error that its forecasts have on the validation part',
    (name) => {
      const variant = variants.find((one) => one.name === name) as RidgeVariant;
      const options = {
        dataset: jfk,
        split,
        part: 'validation' as const,
        targets: [0],
        steps,
        horizons: [steps],
      };
      const score = backtest(variant, options);
      const scale = scalers[0][0].scale;
      const mean = variant.validationMse.reduce((sum, error) => sum + error, 0) / steps;
      expect(score.at[steps].mse / scale ** 2).toBeCloseTo(variant.validationMse[steps - 1], 8);
      // means of steps and of pairs differ by the gaps
      expect(score.horizons[steps].mse / scale ** 2).toBeCloseTo(mean, 4);
    },
  );

  test('picks the variant with the least validation error for each horizon', () => {
    for (const h of [1, 6, 24]) {
      const errorOf = ({ validationMse }: RidgeVariant) =>
        validationMse.subarray(0, h).reduce((sum, error) => sum + error, 0);
      const least = Math.min(...variants.map(errorOf));
      expect(errorOf(pickRidge(variants, h) as RidgeVariant)).toBe(least);
    }
  });

  test.each(['own96', 'all12'])('%s can be served as a highway over the same past', (name) => {
    const variant = variants.find((one) => one.name === name) as RidgeVariant;
    const features = jfk.features.length;
    const { allFeatures, window } = variant;
    const highway = { allFeatures, window, targets: [0] };
    const layout = layoutPast({ features, lags: [1], averages: [], mask: false }, window);
    const memory = new Float32Array(layout.size);
    const held = holdAll(jfk, scalers);
    const frame = new Float32Array(features);
    const origin = 700;
    for (let row = 0; row <= origin; row++) {
      frame.forEach((_, k) => {
        frame[k] = normalize(held[0][k][row], scalers[0][k].mean, scalers[0][k].scale);
      });
      if (row === 0) startPast(layout, memory, 0, frame);
      pushFrame(layout, memory, 0, row, frame);
    }
    const v = new Float32Array(highwaySize(highway, features));
    writeHighwayInputs(layout, highway, memory, 0, origin, v, 0);
    const [{ weights, bias }] = variant.maps;
    const forecast = new Float64Array(steps);
    variant.forecast(0, origin, forecast);
    for (let s = 0; s < steps; s++) {
      const increment = v.reduce((sum, value, i) => sum + value * weights[i * steps + s], bias[s]);
      expect(held[0][0][origin] + scalers[0][0].scale * increment).toBeCloseTo(forecast[s], 4);
    }
  });
});

describe('ridge', () => {
  test('forecasts what is linear in its past', () => {
    const dataset = makeDataset({ a: wave(900) });
    const { variants } = fitOn(dataset, [0.8, 0.1, 0.1]);
    expect(namesOf(variants)).toEqual(['own96', 'own336', 'own336each']);
    const out = new Float64Array(3);
    for (const variant of variants) {
      variant.forecast(0, 850, out);
      wave(3, 851).forEach((truth, s) => {
        expect(out[s]).toBeCloseTo(truth, 1);
      });
    }
  });

  test('fits one map over all channels, or one for each stream and target', () => {
    const values = wave(1000).flatMap((x, t) => [x, 1000 * wave(1, 3 * t)[0]]);
    const dataset = makeDataset({ a: values, b: values.map((value) => value + 1) }, ['x', 'y']);
    const { variants } = fitOn(dataset, [0.8, 0.1, 0.1], { targets: [1, 0] });
    const shapes = variants.map(({ name, maps }) => [name, maps.length, maps[0].bias.length]);
    expect(shapes).toEqual([
      ['own96', 1, 3],
      ['own336', 1, 3],
      ['own336each', 4, 3],
      ['all12', 1, 6],
    ]);
    const out = new Float64Array(6);
    for (const variant of variants) {
      variant.forecast(1, 900, out);
      expect(Math.abs(out[0] - (1000 * wave(1, 3 * 901)[0] + 1))).toBeLessThan(1500);
      expect(Math.abs(out[3] - (wave(1, 901)[0] + 1))).toBeLessThan(1);
    }
  });

  test('treats shared channels like targets of one stream', () => {
    const values = wave(700).flatMap((x, t) => [x, 1000 * wave(1, 3 * t)[0]]);
    const dataset = makeDataset({ a: values }, ['x', 'y']);
    const together = fitOn(dataset, [0.8, 0.1, 0.1], { targets: [0, 1] }).variants[0];
    const shared = fitOn(shareChannels(dataset), [0.8, 0.1, 0.1], { perStream: true }).variants[0];
    const [both, one] = [new Float64Array(6), new Float64Array(3)];
    together.forecast(0, 650, both);
    shared.forecast(1, 650, one);
    expect([...one]).toEqual([...both.subarray(3)]);
  });

  test.each<[string, Dataset, number, string[]]>([
    ['no variant without windows in the training part', makeDataset({ a: wave(150) }), 3, []],
    ['the short window alone when the long one has too few', makeDataset({ a: wave(500) }), 3, ['own96']],
    ['no variant without windows in the validation part', makeDataset({ a: wave(900) }), 95, []],
  ])('has %s', (_, dataset, steps, names) => {
    expect(namesOf(fitOn(dataset, [0.8, 0.1, 0.1], { steps }).variants)).toEqual(names);
  });

  test('has no variant when the validation part was never read', () => {
    const dataset = makeDataset({ a: wave(900) });
    const split: Split = { start: 100, trainEnd: 820, validationEnd: 910, end: 1000 };
    dataset.series[0].values.fill(Number.NaN, 720, 810);
    const scalers = fitScalers(dataset, split);
    expect(fitRidge({ dataset, split, scalers, targets: [0], steps: 3 })).toEqual([]);
    expect(pickRidge([], 1)).toBeUndefined();
  });

  test.each([740, 760, 870])('takes a reading without a z-score, at row %i, for missing', (row) => {
    const [values, gaps] = [wave(900), wave(900)];
    values[row] = -1e8;
    gaps[row] = Number.NaN;
    const shares = [0.8, 0.1, 0.1];
    const { variants } = fitOn(makeDataset({ a: values.flatMap((x, t) => [x, t % 7]) }, ['x', 'y']), shares);
    const expected = fitOn(
      makeDataset({ a: gaps.flatMap((x, t) => [x, t % 7]) }, ['x', 'y']),
      shares,
    ).variants;
    expect(namesOf(variants)).toEqual(['own96', 'own336', 'own336each', 'all12']);
    const [out, other] = [new Float64Array(3), new Float64Array(3)];
    variants.forEach((variant, i) => {
      expect(variant.validationMse).toEqual(expected[i].validationMse);
      expect(variant.validationMse.every(Number.isFinite)).toBe(true);
      for (const origin of [row, row + 3]) {
        variant.forecast(0, origin, out);
        expected[i].forecast(0, origin, other);
        expect([...out]).toEqual([...other]);
        expect(out.every(Number.isFinite)).toBe(true);
      }
    });
  });

  test('has no map a channel for a stream without training rows, and passes that stream over in the others', () => {
    const dataset = makeDataset({ a: wave(900), late: { firstSlot: 950, values: wave(50) } });
    const { variants } = fitOn(dataset, [0.8, 0.1, 0.1]);
    expect(namesOf(variants)).toEqual(['own96', 'own336']);
    const out = new Float64Array(3);
    variants[0].forecast(1, 0, out);
    expect(out.every(Number.isFinite)).toBe(true);
  });
});
