import { describe, expect, test } from 'vitest';
import type { Forecaster } from '../../src/baselines/forecaster.ts';
import { createPersistence } from '../../src/baselines/persistence.ts';
import { holdAll } from '../../src/data/held.ts';
import { fitScalers } from '../../src/data/scalers.ts';
import { backtest } from '../../src/evaluate/backtest.ts';
import { createScorer, type ScoreOptions } from '../../src/evaluate/score.ts';
import { makeDataset } from '../data/make-dataset.ts';

const gap = Number.NaN;

/** Train 100..103, validation 104..105, test 106..109. */
const split = { start: 100, trainEnd: 104, validationEnd: 106, end: 110 };

function optionsFor(dataset: ScoreOptions['dataset'], more: Partial<ScoreOptions> = {}): ScoreOptions {
  return { dataset, split, part: 'test', targets: [0], steps: 2, horizons: [1, 2], ...more };
}

function persistenceOf(options: ScoreOptions): Forecaster {
  const { dataset } = options;
  return createPersistence(holdAll(dataset, fitScalers(dataset, split)), options);
}

describe('persistence scored by hand', () => {
  // slots 100..103 | 104, 105 | 106..109
  const options = optionsFor(makeDataset({ a: [0, 1, 3, 6, 7, 8, 10, 13, 17, 22] }));
  const score = backtest(persistenceOf(options), options);

  test('origins start one slot before the part and end h slots before its end', () => {
    expect(score.n).toEqual({ 1: 4, 2: 3 });
  });

  test('horizons pool the pairs of steps 1..h, at those of step h', () => {
    // step 1 errors 2 3 4 5; step 2 errors 5 7 9, step 1 of the origins that have both 2 3 4
    expect(score.horizons[1]).toMatchObject({ mse: 54 / 4, mae: 14 / 4 });
    expect(score.horizons[2]).toMatchObject({ mse: (29 + 155) / 6, mae: (9 + 21) / 6 });
    expect(score.at[1]).toEqual(score.horizons[1]);
    expect(score.at[2]).toMatchObject({ mse: 155 / 3, mae: 7 });
  });

  test('rmse is the root of mse, and mase counts in steps of training persistence', () => {
    expect(score.at[2].rmse).toBe(Math.sqrt(155 / 3));
    // training errors 1 2 3
    expect(score.at[2].mase).toBe(7 / 2);
  });

  test('the score of the only stream is the score of all', () => {
    const { streams, ...pooled } = score;
    expect(streams).toEqual({ a: pooled });
  });
});

describe('what counts', () => {
  test('an origin that was not read, and a target that was not, are passed over', () => {
    const options = optionsFor(makeDataset({ a: [0, 1, 3, 6, 7, 8, gap, 13, gap, 22] }));
    const score = backtest(persistenceOf(options), options);
    // origins 105 and 107 at h = 1 and 2 (106 and 108 are gaps)
    expect(score.n).toEqual({ 1: 2, 2: 2 });
    // at h = 1 both targets are gaps
    expect(score.horizons[1]).toBeUndefined();
    expect(score.at[1]).toBeUndefined();
    expect(score.at[2]).toMatchObject({ mse: (5 ** 2 + 9 ** 2) / 2, mae: 7 });
    expect(score.horizons[2]).toEqual(score.at[2]);
  });

  test('pairs of persistence with a gap do not enter mase', () => {
    const options = optionsFor(makeDataset({ a: [0, gap, 3, 7, 7, 8, 10, 13, 17, 22] }));
    // of the training part only 3 -> 7 was read
    expect(backtest(persistenceOf(options), options).at[1].mase).toBe(3.5 / 4);
  });

  test('forecasts from outside the part are passed over', () => {
    const options = optionsFor(makeDataset({ a: [0, 1, 3, 6, 7, 8, 10, 13, 17, 22, 99, 99] }));
    const scorer = createScorer(options);
    for (let origin = 0; origin < 12; origin++) scorer.add(0, origin, [0, 0]);
    expect(scorer.score().n).toEqual({ 1: 4, 2: 3 });
  });

  test.each(['train', 'validation'] as const)('the %s part is scored by the same rules', (part) => {
    const options = optionsFor(makeDataset({ a: [0, 1, 3, 6, 7, 9, 10, 13, 17, 22] }), { part });
    const score = backtest(persistenceOf(options), options);
    // nothing is before the training part; validation: 6 -> 7, 7 -> 9 and 6 -> 9
    expect(score.n).toEqual(part === 'train' ? { 1: 3, 2: 2 } : { 1: 2, 2: 1 });
    expect(score.at[2].mae).toBe(part === 'train' ? (3 + 5) / 2 : 3);
  });
});

describe('several streams and targets', () => {
  const a = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const dataset = makeDataset({ a, b: { firstSlot: 102, values: [0, 4, 8, 12, 16, 20, 24] } });

  test('are pooled over pairs, and told apart by stream', () => {
    const options = optionsFor(dataset);
    const score = backtest(persistenceOf(options), options);
    // b ends at slot 108: its origin 108 has no truth left
    expect(score.streams.a.n).toEqual({ 1: 4, 2: 3 });
    expect(score.streams.b.n).toEqual({ 1: 4, 2: 3 });
    expect(score.streams.a.at[1]).toEqual({ mse: 1, mae: 1, rmse: 1, mase: 1 });
    expect(score.streams.b.at[1]).toEqual({ mse: 16, mae: 4, rmse: 4, mase: 1 });
    expect(score.n).toEqual({ 1: 8, 2: 6 });
    expect(score.at[1].mae).toBe((4 * 1 + 3 * 4) / 7);
    // training errors 1 1 1 and 4
    expect(score.at[1].mase).toBe(16 / 7 / (7 / 4));
  });

  test('read a forecast as target after target, step after step', () => {
    const rows = a.flatMap((value) => [value, 10 * value]);
    const options = optionsFor(makeDataset({ a: rows }, ['x', 'y']), { targets: [1, 0], horizons: [2] });
    const scorer = createScorer(options);
    // from slot 107: y is 80 and 90 next, x 8 and 9
    scorer.add(0, 7, [81, 92, 11, 13]);
    const score = scorer.score();
    expect(score.n).toEqual({ 2: 1 });
    expect(score.horizons[2].mae).toBe((1 + 2 + 3 + 4) / 4);
    expect(score.at[2].mae).toBe((2 + 4) / 2);
  });
});

describe('quantiles', () => {
  const levels = [0.1, 0.5, 0.9];
  const dataset = makeDataset({ a: [0, 1, 3, 6, 7, 8, 10, 13, 17, 22] });
  const scorer = createScorer(optionsFor(dataset, { levels }));
  // truths 10, 13 and 13, 17
  scorer.add(0, 5, [10, 13], [9, 10, 11, 14, 14, 15]);
  scorer.add(0, 6, [13, 17], [13, 13, 13, 10, 15, 16]);
  const { horizons, at } = scorer.score();

  test('coverage80 is the share of truths inside their intervals, ends included', () => {
    expect(horizons[2].coverage80).toBe(2 / 4);
    expect(at[1].coverage80).toBe(1);
    expect(at[2].coverage80).toBe(0);
  });

  test('winkler80 is the width, and ten times what is outside', () => {
    expect(at[1].winkler80).toBe((2 + 0) / 2);
    expect(at[2].winkler80).toBe((1 + 10 * 1 + 6 + 10 * 1) / 2);
  });

  test('pinball is the mean loss over the levels, crps twice that', () => {
    const first = (0.1 * 1 + 0 + 0.1 * 1) / 3;
    const second = (0.9 * 1 + 0.5 * 1 + 0.1 * 2) / 3;
    const third = (0.1 * 7 + 0.5 * 2 + 0.9 * 1) / 3;
    expect(at[1].pinball).toBeCloseTo((first + 0) / 2, 12);
    expect(at[2].pinball).toBeCloseTo((second + third) / 2, 12);
    expect(horizons[2].crps).toBeCloseTo((2 * (first + second + third)) / 4, 12);
  });

  test('are not scored where there are none', () => {
    const points = createScorer(optionsFor(dataset));
    points.add(0, 5, [10, 13]);
    expect(Object.keys(points.score().at[2])).toEqual(['mse', 'mae', 'rmse', 'mase']);
  });
});
