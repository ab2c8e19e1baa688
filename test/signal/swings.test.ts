import { describe, expect, test } from 'vitest';
import { measureSwings } from '../../src/data/swings.ts';
import { layoutPast, pushFrame, startPast, swingIndex } from '../../src/signal/inputs.ts';
import { writeWidth } from '../../src/signal/swings.ts';
import { makeDataset } from '../data/make-dataset.ts';

const f = Math.fround;
const gap = Number.NaN;

function widthAt(memory: Float32Array, index: number): number {
  const width = new Float32Array(1);
  writeWidth(memory, index, width, 0);
  return width[0];
}

/** The widths after every frame of one feature, with L = 2. */
function widthsOf(frames: readonly number[], { constant = 100, level = 1 } = {}): number[] {
  const swing = { constant, levels: Float32Array.of(level) };
  const past = layoutPast({ features: 1, lags: [1, 2], averages: [], mask: false, swing });
  // room before and behind, which stays as it was
  const memory = new Float32Array(past.size + 4).fill(7);
  const widths = frames.map((value, slot) => {
    if (slot === 0) startPast(past, memory, 2, Float32Array.of(value));
    else pushFrame(past, memory, 2, slot, Float32Array.of(value));
    return widthAt(memory, swingIndex(past, 2, 0));
  });
  expect([...memory.subarray(0, 2), ...memory.subarray(past.size + 2)]).toEqual([7, 7, 7, 7]);
  return widths;
}

const root = (v: number) => f(Math.sqrt(f(v)));
const width = (v: number) => f(root(v) * root(root(v)));

describe('the width of the distances', () => {
  test('is the mean swing over the longest lag to the power of 3/4, the training counting for one lag', () => {
    // |3 - 0|, |2 - 0|, |3 - 3| after two at the level of training
    const widths = widthsOf([0, 3, 2, 3]);
    const v1 = f(1 + f(f(3 - 1) / 3));
    const v2 = f(v1 + f(f(2 - v1) / 4));
    expect(widths).toEqual([1, width(v1), width(v2), width(f(v2 + f(f(0 - v2) / 5)))]);
  });

  test('forgets by its time constant', () => {
    const widths = widthsOf([0, 1, 3, 2], { constant: 3 });
    const v2 = f(1 + f(f(3 - 1) / 3));
    expect(widths.slice(1)).toEqual([1, width(v2), width(f(v2 + f(f(1 - v2) / 3)))]);
  });

  test('counts in swings of the training part', () => {
    expect(widthsOf([0, 12, 8, 12], { level: 4 })).toEqual(widthsOf([0, 3, 2, 3]));
  });

  test('takes a spike for ten swings at most, an infinite one too', () => {
    const ten = widthsOf([0, 10]);
    expect(widthsOf([0, 1000])).toEqual(ten);
    expect(widthsOf([0, 3e38], { level: 1e-20 })).toEqual(ten);
  });

  test('learns nothing from a missing value', () => {
    const [, before, after] = widthsOf([0, 3, gap]);
    expect(after).toBe(before);
  });

  test('is 1 where swings are not wanted, in no floats', () => {
    const spec = { features: 2, lags: [1, 2], averages: [], mask: false };
    const past = layoutPast(spec);
    expect(widthAt(new Float32Array(past.size), swingIndex(past, 0, 1))).toBe(1);
    const swing = { constant: 9, levels: Float32Array.of(1, 1) };
    expect(layoutPast({ ...spec, swing }).size).toBe(past.size + 3);
  });
});

describe('the level of the training part', () => {
  const split = { start: 100, trainEnd: 105, validationEnd: 106, end: 107 };
  const scalers = [[{ mean: 0, scale: 2 }]];

  test('is the mean of what was read there, in z units', () => {
    const dataset = makeDataset({ a: [0, 2, gap, 8, 10, 99, 99] });
    // |8 - 2| alone: 10 - gap is unknown, 99 is validation
    expect([...measureSwings(dataset, split, scalers, 2)]).toEqual([3]);
  });

  test('is 1 for a feature that never moves', () => {
    const dataset = makeDataset({ a: [5, 5, 5, 5, 5, 6, 7] });
    expect([...measureSwings(dataset, split, scalers, 1)]).toEqual([1]);
  });
});
