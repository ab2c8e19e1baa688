import { describe, expect, test } from 'vitest';
import {
  denormalize,
  denormalizeValues,
  fitScaler,
  normalize,
  normalizeFrame,
} from '../../src/signal/scaler.ts';

const f = Math.fround;

describe('normalize', () => {
  test('gives the distance from the mean in scales', () => {
    expect(normalize(7, 1, 4)).toBe(1.5);
    expect(normalize(-7, 1, 4)).toBe(-2);
  });

  test('rounds to float32 after each operation', () => {
    const [raw, mean, scale] = [f(71.3), f(54.77), f(17.9)];
    expect(normalize(raw, mean, scale)).toBe(f(f(raw - mean) / scale));
    expect(normalize(raw, mean, scale)).not.toBe((raw - mean) / scale);
  });

  test('leaves a missing value missing', () => {
    expect(normalize(Number.NaN, 1, 2)).toBeNaN();
  });

  test('takes infinite readings, and those more than a million scales away, for missing', () => {
    const far = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e38, -1e38, 2_000_001, -2_000_001];
    for (const raw of far) expect(normalize(raw, 0, 2)).toBeNaN();
    expect(normalize(2e6, 0, 2)).toBe(1e6);
    expect(normalize(-2e6, 0, 2)).toBe(-1e6);
  });

  test('takes a distance that no float32 can hold for missing', () => {
    expect(normalize(3e38, -3e38, 1)).toBeNaN();
    expect(normalize(1, 0, 1e-44)).toBeNaN();
  });
});

describe('denormalize', () => {
  test('is the way back, rounded after each operation', () => {
    expect(denormalize(1.5, 1, 4)).toBe(7);
    const [z, mean, scale] = [f(0.3), f(54.77), f(17.9)];
    expect(denormalize(z, mean, scale)).toBe(f(f(z * scale) + mean));
  });

  test('brings every reading back to within a few roundings', () => {
    for (let raw = -40; raw < 120; raw += 0.37) {
      const back = denormalize(normalize(f(raw), f(55.1), f(17.8)), f(55.1), f(17.8));
      expect(Math.abs(back - f(raw))).toBeLessThan(2e-5);
    }
  });
});

describe('whole frames', () => {
  const scalers = Float32Array.of(9, 9, 54.77, 17.9, 1000, 7.3);
  const raw = Float32Array.of(71.3, 1013.2);

  test('are scaled to the bits of each value alone, from where their scalers stand', () => {
    const frame = raw.slice();
    normalizeFrame(frame, scalers, 2);
    expect([...frame]).toEqual([
      normalize(raw[0], scalers[2], scalers[3]),
      normalize(raw[1], scalers[4], scalers[5]),
    ]);
  });

  test('lose what is no reading', () => {
    const frame = Float32Array.of(Number.NaN, 1e30);
    normalizeFrame(frame, scalers, 2);
    expect([...frame]).toEqual([Number.NaN, Number.NaN]);
  });

  test('and their answers are scaled back, to the same bits and no further', () => {
    const values = Float32Array.of(0.1, 0.2, 0.3, 0.4);
    const expected = values.map((z, i) => (i === 1 || i === 2 ? denormalize(z, scalers[4], scalers[5]) : z));
    denormalizeValues(values, 1, 3, scalers, 4);
    expect(values).toEqual(expected);
  });
});

describe('fitScaler', () => {
  test('takes the mean and the standard deviation over all that is not missing', () => {
    expect(fitScaler([2, 4, Number.NaN, 4, 4, 5, 5, 7, 9])).toEqual({ mean: 5, scale: 2 });
  });

  test('is stable far from zero', () => {
    const { mean, scale } = fitScaler([1e9 + 1, 1e9 + 2, 1e9 + 3].flatMap((x) => [x, x]));
    expect(mean).toBe(f(1e9 + 2));
    expect(scale).toBe(f(Math.sqrt(2 / 3)));
  });

  test('gives float32 numbers, as the file holds them', () => {
    const { mean, scale } = fitScaler([0.1, 0.2, 0.4]);
    expect([mean, scale]).toEqual([f(0.7 / 3), f(scale)]);
    expect(scale).toBeCloseTo(0.12472, 5);
  });

  test('gives a constant scale 0, and nothing at all NaN', () => {
    expect(fitScaler([3, 3, 3])).toEqual({ mean: 3, scale: 0 });
    expect(fitScaler([Number.NaN])).toEqual({ mean: Number.NaN, scale: Number.NaN });
  });
});
