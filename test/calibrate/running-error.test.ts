import { describe, expect, test } from 'vitest';
import { createRunningError, poolErrors } from '../../src/calibrate/running-error.ts';

describe('the running error', () => {
  test('is that of step h alone, beside the newest value at the time of the forecast', () => {
    const error = createRunningError([1, 2]);
    const truth = [10, 13, 11, 18];
    truth.forEach((value, slot) => {
      error.observe(slot, value);
      error.expect(slot, 1, value + 1);
      error.expect(slot, 2, value + 2);
    });
    // one step: |11-13|, |14-11|, |12-18| beside |10-13|, |13-11|, |11-18|
    expect(error.steps[0]).toEqual({ step: 1, n: 3, errorSum: 2 + 3 + 6, persistenceSum: 3 + 2 + 7 });
    // two steps: |12-11|, |15-18| beside |10-11|, |13-18|
    expect(error.steps[1]).toEqual({ step: 2, n: 2, errorSum: 1 + 3, persistenceSum: 1 + 5 });
    expect(poolErrors([error])).toEqual({ n: 5, mae: 15 / 5, persistenceMae: 18 / 5 });
  });

  test('counts a forecast only when its target is really read', () => {
    const error = createRunningError([1]);
    error.observe(0, 10);
    error.expect(0, 1, 99);
    error.observe(2, 10);
    error.expect(2, 1, 11);
    error.observe(3, 12);
    expect(error.steps[0]).toEqual({ step: 1, n: 1, errorSum: 1, persistenceSum: 2 });
  });

  test('scores a target once, even if it is read twice', () => {
    const error = createRunningError([1]);
    error.observe(0, 1);
    error.expect(0, 1, 2);
    error.observe(1, 2);
    error.observe(1, 5);
    expect(error.steps[0].n).toBe(1);
  });

  test('compares nothing before there is a value to repeat', () => {
    const error = createRunningError([1]);
    error.expect(0, 1, 5);
    error.observe(1, 5);
    expect(error.steps[0].n).toBe(0);
    expect(poolErrors([error]).mae).toBeNaN();
  });

  test('takes slots before 1970, and gaps longer than any step', () => {
    const error = createRunningError([3]);
    for (const slot of [-10, -9, -7, 100]) {
      error.observe(slot, slot);
      error.expect(slot, 3, slot + 3);
    }
    expect(error.steps[0]).toMatchObject({ n: 1, errorSum: 0, persistenceSum: 3 });
  });

  test('agrees with all pairs held in memory', () => {
    const steps = [1, 6, 24];
    const error = createRunningError(steps);
    const slots = Array.from({ length: 500 }, (_, i) => i).filter((i) => i % 13 !== 4 && i % 97 > 5);
    const value = (slot: number) => 10 * Math.sin(slot / 5) + (slot % 3);
    const forecast = (slot: number, step: number) => 9 * Math.sin((slot + step) / 5);
    const read = new Set(slots);
    for (const slot of slots) {
      error.observe(slot, value(slot));
      for (const step of steps) error.expect(slot, step, forecast(slot, step));
    }
    for (const { step, n, errorSum, persistenceSum } of error.steps) {
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
