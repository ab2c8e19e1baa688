import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type InputSpec, layoutPast } from '../../src/signal/inputs.ts';
import { createPast } from './past.ts';

const f = Math.fround;
const gap = Number.NaN;

const specOf = (season: number, ...fill: number[]): InputSpec => ({
  ...{ features: fill.length / 2, lags: [1], averages: [], mask: true, season },
  fill: Float32Array.from(fill),
});

/** A past that has seen these values of one feature. */
const pastOf = (spec: InputSpec, [first, ...values]: readonly number[]) => {
  const past = createPast(layoutPast(spec)).start(first);
  for (const value of values) past.push(value);
  return past;
};

describe('a missing value with a season', () => {
  test("takes last season's course by alpha, and is drawn towards it by beta", () => {
    // S = 3; of x[t-1] = 8, x[t-3] = 4 and x[t-4] = 2
    const past = pastOf(specOf(3, 0.5, 0.25), [2, 4, 6, 8]);
    past.push(gap);
    expect(past.newest(0)).toBe(8 + 0.5 * (4 - 2) + 0.25 * (2 - 8));
    // mask last, after the lag
    expect(past.inputs()).toEqual([0.5, 1]);
  });

  test('rounds to float32 after each operation, in this order', () => {
    const [alpha, beta] = [f(0.319), f(0.0193)];
    const values = Array.from({ length: 40 }, (_, t) => f(100 * Math.sin(t)));
    const past = pastOf(specOf(5, alpha, beta), values);
    for (let t = 40; t < 60; t++) {
      const [before, course] = [values[t - 6], f(values[t - 5] - values[t - 6])];
      const followed = f(values[t - 1] + f(alpha * course));
      values.push(f(followed + f(beta * f(before - values[t - 1]))));
      past.push(gap);
      // a filled value is the past of the next ones
      expect(past.newest(0)).toBe(values[t]);
    }
  });

  test('is filled by the weights of its own feature', () => {
    const past = createPast(layoutPast(specOf(2, 0, 0, 1, 0)))
      .start(1, 10)
      .push(5, 20)
      .push(2, 10);
    past.push(gap, gap);
    expect([past.newest(0), past.newest(1)]).toEqual([2, 20]);
  });

  test('holds with weights of 0', () => {
    const values = [2, 4, 6, 8, gap, gap, 5, gap];
    const filled = pastOf(specOf(3, 0, 0), values);
    const held = pastOf({ ...specOf(3, 0, 0), fill: undefined as never }, values);
    expect(filled.newest(0)).toBe(5);
    expect(filled.inputs()).toEqual(held.inputs());
  });

  test('of a stream younger than a season has no course yet, and is drawn towards its first value', () => {
    const past = pastOf(specOf(24, 1, 0.25), [10, 18, gap]);
    expect(past.newest(0)).toBe(18 + 0.25 * (10 - 18));
    expect(pastOf(specOf(24, 1, 0.25), [10, gap, gap]).newest(0)).toBe(10);
    expect(pastOf(specOf(24, 1, 0.25), [gap, gap]).newest(0)).toBe(0);
  });

  test('moves with a shift of every value', () => {
    // multiples of 1/8, and weights of few digits, are exact in float32 at either height
    const values = Array.from({ length: 12 }, (_, t) => ((t * 37) % 64) / 8);
    const spec = specOf(4, 0.5, 0.25);
    const low = pastOf(spec, values);
    const high = pastOf(
      spec,
      values.map((value) => value + 64),
    );
    for (let t = 0; t < 5; t++) {
      low.push(gap);
      high.push(gap);
      expect(high.newest(0)).toBe(low.newest(0) + 64);
      expect(high.inputs()).toEqual(low.inputs());
    }
  });

  test('grows by no more than a season of steps repeated, however long it lasts', () => {
    const weight = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }));
    const value = fc.double({ min: -1, max: 1, noNaN: true });
    const values = fc.array(value, { minLength: 1, maxLength: 30 });
    const frames = 3000;
    fc.assert(
      fc.property(weight, weight, fc.integer({ min: 2, max: 9 }), values, (alpha, beta, season, start) => {
        const past = pastOf(specOf(season, alpha, beta), start);
        for (let t = 0; t < frames; t++) past.push(gap);
        // alpha 1 with beta 0 repeats the rise of a season, at most 2, again and again; all others stay near
        expect(Math.abs(past.newest(0))).toBeLessThan(2 * (1 + frames / season) + 10);
      }),
      { seed: 7, numRuns: 100 },
    );
  });
});

describe('a stream with a scale of its own', () => {
  const spec: InputSpec = {
    ...{ features: 2, lags: [1, 2], averages: [2], mask: true },
    spread: Float32Array.of(1, 4),
  };
  const create = (known: boolean) => createPast(layoutPast(spec, 3), 100, { known }).start(4, 40);

  test('sees differences and averages divided by its factor, not the mask', () => {
    const [own, training] = [create(false).push(9, 41), create(true).push(9, 41)];
    const [g, h] = own.factors([0, 1]);
    expect(g).toBeGreaterThan(1);
    expect(h).toBeLessThan(1);
    const seen = training.inputs();
    const scaled = seen.map((value, i) => (i % 4 === 3 ? value : f(value * f(1 / (i < 4 ? g : h)))));
    expect(own.inputs()).toEqual(scaled);
  });

  test('sees the window of its highway divided, and the newest values', () => {
    const [own, training] = [create(false).push(9, 41), create(true).push(9, 41)];
    const [g, h] = own.factors([0, 1]);
    const scaled = (values: readonly number[], factors: readonly number[]) =>
      values.map((value, i) => f(value * f(1 / factors[i])));
    expect(own.highway(true, 3, [])).toEqual(scaled(training.highway(true, 3, []), [g, g, h, h, g, h]));
    expect(own.highway(false, 3, [1])).toEqual(scaled(training.highway(false, 3, [1]), [h, h]));
  });

  test('learns it from steps between two values that were read, and no others', () => {
    const past = create(false);
    past.push(gap, 41);
    expect(past.factors([0])).toEqual([1]);
    const [, h] = past.factors([0, 1]);
    past.push(9, gap);
    expect(past.factors([0, 1])).toEqual([1, h]);
    past.push(10.5, 43);
    expect(past.factors([0])[0]).toBeGreaterThan(1);
    expect(past.factors([1])).toEqual([h]);
  });

  test('learns nothing from the step to a first value', () => {
    const past = createPast(layoutPast(spec), 100, { known: false }).start(gap, gap);
    expect(past.push(9, 41).factors([0, 1])).toEqual([1, 1]);
  });

  test('keeps it when the stream starts cold again', () => {
    const past = create(false).push(9, 41).push(3, 60);
    const factors = past.factors([0, 1]);
    past.start(100, 200);
    expect(past.factors([0, 1])).toEqual(factors);
  });

  test('is of factor 1 when it is known, with the bits of a model without scales', () => {
    const { spread: _, ...without } = spec;
    const past = createPast(layoutPast(without, 3)).start(4, 40).push(9.1, 41).push(3.3, 60);
    const known = create(true).push(9.1, 41).push(3.3, 60);
    expect(known.factors([1, 0])).toEqual([1, 1]);
    expect(past.factors([1, 0])).toEqual([1, 1]);
    expect(known.inputs()).toEqual(past.inputs());
    expect(known.highway(true, 3, [])).toEqual(past.highway(true, 3, []));
  });
});
