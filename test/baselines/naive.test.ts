import { describe, expect, test } from 'vitest';
import { createPersistence } from '../../src/baselines/persistence.ts';
import { createSeasonal } from '../../src/baselines/seasonal.ts';
import { holdAll } from '../../src/data/held.ts';
import { makeDataset } from '../data/make-dataset.ts';

const gap = Number.NaN;
const dataset = makeDataset({ a: [0, 10, 1, 11, 2, 12, gap, 13, 4, gap] }, ['x', 'y']);
const scaler = { mean: 7, scale: 1 };
const held = holdAll(dataset, [[scaler, scaler]]);

describe('persistence', () => {
  test('repeats the newest held value of every target at every step', () => {
    const out = new Float64Array(6);
    createPersistence(held, { targets: [1, 0], steps: 3 }).forecast(0, 3, out);
    expect([...out]).toEqual([13, 13, 13, 2, 2, 2]);
  });
});

describe('the seasonal naive forecast', () => {
  const seasonal = createSeasonal(held, { targets: [0], steps: 5, season: 2 });

  test('takes each step from one season before it, and repeats the last season beyond', () => {
    const out = new Float64Array(5);
    seasonal.forecast(0, 4, out);
    // rows 3 (held) and 4, again and again
    expect([...out]).toEqual([2, 4, 2, 4, 2]);
  });

  test('starts from the first value where a season is not yet known', () => {
    const out = new Float64Array(5);
    seasonal.forecast(0, 0, out);
    expect([...out]).toEqual([0, 0, 0, 0, 0]);
  });

  test('equals persistence at one season ahead', () => {
    const [ours, naive] = [new Float64Array(2), new Float64Array(2)];
    createSeasonal(held, { targets: [0], steps: 2, season: 2 }).forecast(0, 2, ours);
    createPersistence(held, { targets: [0], steps: 2 }).forecast(0, 2, naive);
    expect(ours[1]).toBe(naive[1]);
  });
});
