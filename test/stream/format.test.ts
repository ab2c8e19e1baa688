import { expect, test } from 'vitest';
import { shortestFloat32 } from '../../src/stream/format.ts';

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
