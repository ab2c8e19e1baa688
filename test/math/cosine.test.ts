import { expect, test } from 'vitest';
import { cosinePi } from '../../src/math/cosine.ts';

test('cos(pi x) is within 1e-14 of the true one over [0, 1]', () => {
  const errors = Array.from(
    { length: 20_001 },
    (_, i) => cosinePi(i / 20_000) - Math.cos((Math.PI * i) / 20_000),
  );
  expect(Math.max(...errors.map(Math.abs))).toBeLessThan(1e-14);
});

test('cos(pi x) starts at 1 and ends at -1, with one half mirrored in the other', () => {
  expect(cosinePi(0)).toBe(1);
  expect(cosinePi(1)).toBe(-1);
  for (const x of [0.0625, 0.25, 0.375]) expect(cosinePi(1 - x)).toBe(-cosinePi(x));
});
