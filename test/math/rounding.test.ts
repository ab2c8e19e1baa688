import { expect, test } from 'vitest';
import { roundHalfEven } from '../../src/math/rounding.ts';

test('ties go to the even neighbor, on both sides of zero', () => {
  const halves = [0.5, 1.5, 2.5, 3.5, 126.5, 127.5, 4094.5, 4095.5];
  expect(halves.map(roundHalfEven)).toEqual([0, 2, 2, 4, 126, 128, 4094, 4096]);
  expect(halves.map((x) => roundHalfEven(-x))).toEqual([0, -2, -2, -4, -126, -128, -4094, -4096]);
});

test('everything else goes to the nearest', () => {
  const below = Math.fround(2.5 - 2 ** -22);
  const above = Math.fround(2.5 + 2 ** -22);
  expect([0.49, -0.51, 1.2, below, above, -above].map(roundHalfEven)).toEqual([0, -1, 1, 2, 3, -3]);
  expect([2 ** 22 - 0.5, 4_194_303.25, -4_194_303.75].map(roundHalfEven)).toEqual([
    2 ** 22,
    4_194_303,
    -4_194_304,
  ]);
});

test('whole numbers stay what they are', () => {
  const integers = Array.from({ length: 8191 }, (_, i) => i - 4095);
  expect(integers.map(roundHalfEven)).toEqual(integers);
});

test('a number is float32 before it is rounded', () => {
  // the nearest float32 is the tie itself
  expect(roundHalfEven(2.5 + 1e-12)).toBe(2);
});
