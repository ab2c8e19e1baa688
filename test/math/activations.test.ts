import { describe, expect, test } from 'vitest';
import { createTanh, sigmoidInPlace, tanh, tanhInPlace } from '../../src/math/activations.ts';

/** -12..12 in float32, far beyond the clamp. */
const grid = Float32Array.from({ length: 480_001 }, (_, i) => (i - 240_000) / 20_000);

function largest(values: Iterable<number>): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

describe('tanh', () => {
  test('is within 4e-7 of the true one everywhere', () => {
    expect(largest(grid.map((x) => tanh(x) - Math.tanh(x)))).toBeLessThan(4e-7);
  });

  test('keeps its relative error near zero, where small states live', () => {
    const small = Float32Array.from({ length: 1000 }, (_, i) => 10 ** (-i / 40));
    expect(largest(small.map((x) => tanh(x) / Math.tanh(x) - 1))).toBeLessThan(5e-7);
  });

  test('is odd to the bit, and keeps the sign of zero', () => {
    expect(grid.filter((x) => !Object.is(tanh(-x), -tanh(x)))).toHaveLength(0);
    expect(tanh(0)).toBe(0);
    expect(tanh(-0)).toBe(-0);
  });

  test('rises, but for its own rounding of half a millionth', () => {
    const values = grid.map((x) => tanh(x));
    expect(largest(values.map((value, i) => Math.min(0, value - values[Math.max(0, i - 1)])))).toBeLessThan(
      5e-7,
    );
  });

  test('ends at exactly 1, never above, and hands NaN through', () => {
    expect(largest(grid.map((x) => tanh(x)))).toBe(1);
    for (const x of [7.91, 8, 1e30, Number.POSITIVE_INFINITY]) expect([tanh(x), tanh(-x)]).toEqual([1, -1]);
    expect(tanh(Number.NaN)).toBeNaN();
  });

  test('gives float32 numbers', () => {
    expect(grid.filter((x) => Math.fround(tanh(x)) !== tanh(x))).toHaveLength(0);
  });

  test('is the same formula without rounding, for checks in float64', () => {
    const exact = createTanh((x) => x);
    expect(largest(grid.map((x) => exact(x) - Math.tanh(x)))).toBeLessThan(3e-7);
    expect(exact(0.3)).not.toBe(tanh(0.3));
  });
});

describe('tanh and sigma in place', () => {
  test('give the bits of tanh, of that part of the array alone', () => {
    const values = grid.slice();
    tanhInPlace(values, 1000, 400_000);
    const expected = (x: number, i: number) => (i >= 1000 && i < 401_000 ? tanh(x) : x);
    expect(grid.filter((x, i) => !Object.is(values[i], expected(x, i)))).toHaveLength(0);
  });

  test('make sigma of tanh, one rounding an operation', () => {
    const values = grid.slice();
    sigmoidInPlace(values, 1, grid.length - 2);
    const sigma = (x: number) => Math.fround(0.5 + Math.fround(0.5 * tanh(Math.fround(0.5 * x))));
    const isEnd = (i: number) => i === 0 || i === grid.length - 1;
    expect(grid.filter((x, i) => values[i] !== (isEnd(i) ? x : sigma(x)))).toHaveLength(0);
  });

  test('keep sigma within 2.5e-7 of the true one, and between 0 and 1', () => {
    const values = grid.slice();
    sigmoidInPlace(values, 0, values.length);
    expect(largest(values.map((value, i) => value - 1 / (1 + Math.exp(-grid[i]))))).toBeLessThan(2.5e-7);
    const ends = Float32Array.of(-1e30, -20, 0, 20, 1e30);
    sigmoidInPlace(ends, 0, 5);
    expect([...ends]).toEqual([0, 0, 0.5, 1, 1]);
  });
});
