import { expect, test } from 'vitest';
import { float32Text, shortestFloat32 } from '../../src/stream/format.ts';

test('a float32 is written with the fewest digits that read back as the same bits', () => {
  expect(shortestFloat32(Math.fround(38.4))).toBe(38.4);
  expect(shortestFloat32(0)).toBe(0);
  expect(shortestFloat32(1012)).toBe(1012);
  const bits = new Uint32Array(1);
  const float = new Float32Array(bits.buffer);
  for (let i = 0; i < 20_000; i++) {
    bits[0] = Math.imul(i, 0x9e3779b1);
    if (!Number.isFinite(float[0])) continue;
    const text = JSON.stringify(shortestFloat32(float[0]));
    expect(Math.fround(JSON.parse(text))).toBe(float[0] + 0);
  }
});

test('the text of a float32 is the JSON of its shortest number', () => {
  const bits = new Uint32Array(1);
  const float = new Float32Array(bits.buffer);
  const check = (value: number) => {
    const expected = JSON.stringify(shortestFloat32(value));
    if (float32Text(value) !== expected) expect([value, float32Text(value)]).toEqual([value, expected]);
  };
  for (let i = 0; i < 300_000; i++) {
    bits[0] = Math.imul(i, 0x9e3779b1);
    check(float[0]);
    // of the sizes that sensors have
    check(Math.fround((((i * 7919) % 200_000) - 100_000) / 10 ** (i % 8)));
  }
  // on both sides of every change in the number of digits
  for (let exponent = -8; exponent <= 8; exponent++) {
    float[0] = 10 ** exponent;
    const middle = bits[0];
    for (let step = -2000; step <= 2000; step++) {
      bits[0] = middle + step;
      check(float[0]);
      check(-float[0]);
    }
  }
  for (const value of [0, -0, Number.NaN, Number.POSITIVE_INFINITY]) check(value);
});
