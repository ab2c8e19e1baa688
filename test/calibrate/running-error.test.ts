import { describe, expect, test } from 'vitest';
import { createRunningErrors } from '../../src/calibrate/running-error.ts';

describe('the running error', () => {
  test('is that of step h alone, beside the newest value at the time of the forecast', () => {
    const errors = createRunningErrors([1, 2]);
    const truth = [10, 13, 11, 18];
    truth.forEach((value, slot) => {
      errors.observe(0, slot, value);
      errors.expect(0, slot, 1, value + 1);
      errors.expect(0, slot, 2, value + 2);
    });
    // one step: |11-13|, |14-11|, |12-18| beside |10-13|, |13-11|, |11-18|
    expect(errors.steps(0)[0]).toEqual({ step: 1, n: 3, errorSum: 2 + 3 + 6, persistenceSum: 3 + 2 + 7 });
    // two steps: |12-11|, |15-18| beside |10-11|, |13-18|
    expect(errors.steps(0)[1]).toEqual({ step: 2, n: 2, errorSum: 1 + 3, persistenceSum: 1 + 5 });
    expect(errors.mean(0)).toEqual({ n: 5, mae: 15 / 5, persistenceMae: 18 / 5 });
  });

  test('counts a forecast only when its target is really read', () => {
    const errors = createRunningErrors([1]);
    errors.observe(0, 0, 10);
    errors.expect(0, 0, 1, 99);
    errors.observe(0, 2, 10);
    errors.expect(0, 2, 1, 11);
    errors.observe(0, 3, 12);
    expect(errors.steps(0)[0]).toEqual({ step: 1, n: 1, errorSum: 1, persistenceSum: 2 });
  });

  test('scores a target once, even if it is read twice', () => {
    const errors = createRunningErrors([1]);
    errors.observe(0, 0, 1);
    errors.expect(0, 0, 1, 2);
    errors.observe(0, 1, 2);
    errors.observe(0, 1, 5);
    expect(errors.steps(0)[0].n).toBe(1);
  });

  test('compares nothing before there is a value to repeat', () => {
    const errors = createRunningErrors([1]);
    errors.expect(0, 0, 1, 5);
    errors.observe(0, 1, 5);
    expect(errors.steps(0)[0].n).toBe(0);
    expect(errors.mean(0).mae).toBeNaN();
  });

  test('takes slots before 1970, and gaps longer than any step', () => {
    const errors = createRunningErrors([3]);
    for (const slot of [-10, -9, -7, -1, 100]) {
      errors.observe(0, slot, slot);
      errors.expect(0, slot, 3, slot + 3);
    }
    expect(errors.steps(0)[0]).toMatchObject({ n: 1, errorSum: 0, persistenceSum: 3 });
  });

  test('keeps series apart, however many there are, and pools them', () => {
    const errors = createRunningErrors([2]);
    const all = [0, 255, 256, 9_999];
    for (const series of all) errors.observe(series, 7, series);
    for (const series of all) errors.expect(series, 7, 2, series + 1);
    for (const series of all) errors.observe(series, 9, series + 3);
    for (const series of all) expect(errors.mean(series)).toEqual({ n: 1, mae: 2, persistenceMae: 3 });
    expect(errors.mean(1)).toMatchObject({ n: 0 });
    expect(errors.pool()).toEqual({ n: 4, mae: 2, persistenceMae: 3 });
  });

  test('pools every so many series by step', () => {
    const errors = createRunningErrors([1, 2]);
    // two targets of three hundred streams; those of the second are 10 off, and each two steps ahead by as much again
    for (let series = 0; series < 600; series++) {
      const off = 10 * (series % 2);
      for (let slot = 0; slot < 3; slot++) {
        errors.observe(series, slot, slot);
        for (const step of [1, 2]) errors.expect(series, slot, step, slot + step + step * off);
      }
    }
    const pooled = (off: number) => [
      { step: 1, n: 600, errorSum: 600 * off, persistenceSum: 600 },
      { step: 2, n: 300, errorSum: 300 * 2 * off, persistenceSum: 600 },
    ];
    expect(errors.poolSteps(0, 2)).toEqual(pooled(0));
    expect(errors.poolSteps(1, 2)).toEqual(pooled(10));
  });

  test('agrees with all pairs held in memory', () => {
    const steps = [1, 6, 24];
    const errors = createRunningErrors(steps);
    const slots = Array.from({ length: 500 }, (_, i) => i).filter((i) => i % 13 !== 4 && i % 97 > 5);
    const value = (slot: number) => Math.fround(10 * Math.sin(slot / 5) + (slot % 3));
    const forecast = (slot: number, step: number) => Math.fround(9 * Math.sin((slot + step) / 5));
    const read = new Set(slots);
    for (const slot of slots) {
      errors.observe(0, slot, value(slot));
      for (const step of steps) errors.expect(0, slot, step, forecast(slot, step));
    }
    for (const { step, n, errorSum, persistenceSum } of errors.steps(0)) {
      const scored = slots.filter((slot) => read.has(slot + step));
      expect(n).toBe(scored.length);
      const sum = (of: (slot: number) => number) =>
        scored.reduce((total, slot) => total + Math.abs(of(slot)), 0);
      expect(errorSum).toBeCloseTo(
        sum((slot) => forecast(slot, step) - value(slot + step)),
        9,
      );
      expect(persistenceSum).toBeCloseTo(
        sum((slot) => value(slot) - value(slot + step)),
        9,
      );
    }
  });
});
