import { expect, test } from 'vitest';
import { add, addOuterProduct, addTo, multiply, multiplyTransposed, split } from '../../src/math/dense.ts';

// [2, 3]
const matrix = [1, 2, 3, 4, 5, 6];

test('multiplies row-major rows by a vector', () => {
  expect([...multiply(matrix, [1, 0, -1])]).toEqual([-2, -2]);
});

test('multiplies the transposed matrix by a vector', () => {
  expect([...multiplyTransposed(matrix, [1, -1])]).toEqual([-3, -3, -3]);
});

test('adds two vectors into a new one', () => {
  const left = Float64Array.of(1, 2);
  expect([...add(left, [10, 20])]).toEqual([11, 22]);
  expect([...left]).toEqual([1, 2]);
});

test('adds a vector and an outer product in place', () => {
  const total = Float64Array.of(1, 2);
  addTo(total, [10, 20]);
  expect([...total]).toEqual([11, 22]);
  const outer = new Float64Array(6).fill(1);
  addOuterProduct(outer, [1, 2], [1, 10, 100]);
  expect([...outer]).toEqual([2, 11, 101, 3, 21, 201]);
});

test('splits into views of equal length', () => {
  const whole = Float64Array.of(1, 2, 3, 4);
  const [, second] = split(whole, 2);
  second[0] = 7;
  expect([...whole]).toEqual([1, 2, 7, 4]);
});
