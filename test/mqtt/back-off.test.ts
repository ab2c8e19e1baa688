import { expect, test } from 'vitest';
import { createBackOff } from '../../src/mqtt/back-off.ts';

test('delays double up to the longest, and begin again after a good connection', () => {
  const backOff = createBackOff({ firstMs: 500, maxMs: 30_000 });
  for (let round = 0; round < 2; round++) {
    for (const longest of [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      const delay = backOff.nextMs();
      expect(delay).toBeGreaterThanOrEqual(longest / 2);
      expect(delay).toBeLessThanOrEqual(longest);
    }
    backOff.reset();
  }
});

test('two clients do not come back in step', () => {
  const delays = Array.from({ length: 20 }, () => createBackOff({ firstMs: 500, maxMs: 30_000 }).nextMs());
  expect(new Set(delays).size).toBeGreaterThan(15);
});
