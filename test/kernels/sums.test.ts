import { expect, test } from 'vitest';
import { multiplyRows } from '../../src/kernels/sums.ts';

const f = Math.fround;

test('multiplies the rows of a matrix inside a longer array into a part of another', () => {
  const values = Float32Array.of(9, 9, 1, 2, 3, 4, 5, 6, 9);
  const out = new Float32Array(4).fill(-1);
  multiplyRows({ values, at: 2, rows: 2, columns: 3 }, Float32Array.of(7, 1, 0, -1), 1, out, 1);
  expect([...out]).toEqual([-1, 1 - 3, 4 - 6, -1]);
});

test.each([1, 3, 4, 6])('adds each of %i rows with k ascending and one rounding an operation', (rows) => {
  const x = Float32Array.of(1e8, 1, -1e8, 0.1);
  const last = Array.from({ length: rows }, (_, row) => 0.3 + row);
  const values = Float32Array.from(last.flatMap((w) => [1, 1, 1, w]));
  const out = new Float32Array(rows);
  multiplyRows({ values, at: 0, rows, columns: 4 }, x, 0, out, 0);
  // the 1 is lost beside 1e8, as it is in that order alone
  expect([...out]).toEqual(last.map((w) => f(f(0.1) * f(w))));
});

test('an empty row is 0', () => {
  const out = Float32Array.of(5);
  multiplyRows({ values: new Float32Array(0), at: 0, rows: 1, columns: 0 }, new Float32Array(0), 0, out, 0);
  expect(out[0]).toBe(0);
});
