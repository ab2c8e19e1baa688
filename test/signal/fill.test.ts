import { describe, expect, test } from 'vitest';
import { fitFill } from '../../src/signal/fill.ts';
import { createRandom } from '../fixtures/series.ts';

const SEASON = 12;

/** A series by x[t] = x[t-1] + alpha * course + beta * error + noise, from two seasons of a wave. */
function seasonalSeries(alpha: number, beta: number, { seed = 1, noise = 0.3, length = 4000 } = {}) {
  const random = createRandom(seed);
  const x = new Float32Array(length);
  for (let t = 0; t < length; t++) {
    if (t <= 2 * SEASON) x[t] = 3 * Math.sin((2 * Math.PI * t) / SEASON);
    else {
      const before = x[t - 1 - SEASON];
      x[t] = x[t - 1] + alpha * (x[t - SEASON] - before) + beta * (before - x[t - 1]);
    }
    x[t] += noise * (2 * random() - 1);
  }
  return x;
}

const holds = { alpha: 0, beta: 0 };

describe('the fill of a feature', () => {
  test('is found again where the next value follows it', () => {
    const found = fitFill([seasonalSeries(0.8, 0.2), seasonalSeries(0.8, 0.2, { seed: 2 })], SEASON);
    expect(found.alpha).toBeCloseTo(0.8, 1);
    expect(found.beta).toBeCloseTo(0.2, 1);
    expect(found.alpha).toBe(Math.fround(found.alpha));
    expect(found.beta).toBe(Math.fround(found.beta));
  });

  test('is the same when values are missing here and there', () => {
    const x = seasonalSeries(0.8, 0.2);
    const random = createRandom(3);
    const { alpha, beta } = fitFill([x.map((value) => (random() < 0.05 ? Number.NaN : value))], SEASON);
    const whole = fitFill([x], SEASON);
    expect(alpha).toBeCloseTo(whole.alpha, 1);
    expect(beta).toBeCloseTo(whole.beta, 1);
  });

  test('follows a course that repeats itself exactly', () => {
    const wave = Float32Array.from({ length: 200 }, (_, t) => Math.abs((t % SEASON) - 6));
    expect(fitFill([wave], SEASON)).toEqual({ alpha: 1, beta: 0 });
  });

  test('holds without a season', () => {
    expect(fitFill([seasonalSeries(0.8, 0.2)], 1)).toEqual(holds);
  });

  test('holds a value that wanders, for what chance finds is less than 2 % of the error', () => {
    const random = createRandom(5);
    let x = 0;
    const walk = Float32Array.from({ length: 4000 }, () => {
      x += random() - 0.5;
      return x;
    });
    expect(fitFill([walk], SEASON)).toEqual(holds);
  });

  test('holds a value that never moves, or is never there', () => {
    expect(fitFill([new Float32Array(100).fill(2)], SEASON)).toEqual(holds);
    expect(fitFill([new Float32Array(100).fill(Number.NaN)], SEASON)).toEqual(holds);
    expect(fitFill([], SEASON)).toEqual(holds);
  });

  test('stays within 0 and 1 where the best would not be', () => {
    // each season swings wider than the last
    const growing = Float32Array.from(
      { length: 300 },
      (_, t) => 1.2 ** (t / SEASON) * Math.sin((2 * Math.PI * t) / SEASON),
    );
    const { alpha, beta } = fitFill([growing], SEASON);
    expect(alpha).toBe(1);
    expect(beta).toBeGreaterThanOrEqual(0);
    expect(beta).toBeLessThanOrEqual(1);
  });
});
