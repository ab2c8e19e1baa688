import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { phaseOf, placeOf, planAdvance, slotOf } from '../../src/signal/slots.ts';
import { largestTimeMs } from '../../src/signal/times.ts';

describe('slotOf', () => {
  test('a slot begins with its first millisecond and ends before the next', () => {
    const times = [0, 1, 59_999.9, 60_000, 119_999];
    expect(times.map((timeMs) => slotOf(timeMs, 60_000))).toEqual([0, 0, 0, 1, 1]);
  });

  test('times before 1970 lie in negative slots, cut the same way', () => {
    expect([-1, -60_000, -60_001].map((timeMs) => slotOf(timeMs, 60_000))).toEqual([-1, -1, -2]);
  });

  test('the start of a slot lies in it, for any whole period and the whole calendar', () => {
    const lost: number[][] = [];
    for (const periodMs of [1, 7, 40, 333, 1000, 59_999, 3_600_000, 86_400_000]) {
      const last = Math.floor(largestTimeMs / periodMs);
      for (let i = 0; i < 2000; i++) {
        const slot = last - i * Math.floor(last / 1000);
        if (slotOf(slot * periodMs, periodMs) !== slot) lost.push([periodMs, slot]);
      }
    }
    expect(lost).toEqual([]);
  });
});

describe('phaseOf', () => {
  test('follows the slot number round and round, through zero as well', () => {
    const slots = [-4, -3, -2, -1, 0, 1, 2, 3];
    expect(slots.map((slot) => phaseOf(slot, 3))).toEqual([2, 0, 1, 2, 0, 1, 2, 0]);
  });

  test('is 0 when there is one phase', () => {
    expect([-2, 0, 379_824].map((slot) => Math.abs(phaseOf(slot, 1)))).toEqual([0, 0, 0]);
  });
});

describe('planAdvance', () => {
  test('a stream that was never stepped starts, wherever time stands', () => {
    expect(planAdvance(Number.NaN, 5, 3)).toBe('restart');
    expect(planAdvance(Number.NaN, -5, 0)).toBe('restart');
  });

  test('the next slot has nothing missing before it', () => {
    expect(planAdvance(5, 6, 0)).toBe(0);
    expect(planAdvance(-1, 0, 0)).toBe(0);
  });

  test('the slot stepped last, and all before it, are late', () => {
    expect([5, 4, -100].map((slot) => planAdvance(5, slot, 3))).toEqual(['late', 'late', 'late']);
  });

  test('a gap of up to gapLimit slots is stepped, a longer one starts cold', () => {
    expect([7, 8, 9, 10].map((slot) => planAdvance(5, slot, 3))).toEqual([1, 2, 3, 'restart']);
    expect(planAdvance(5, 7, 0)).toBe('restart');
  });
});

test('a place among those that go round is the remainder, for any slot of the calendar', () => {
  const slots = fc.oneof(
    fc.integer({ min: -largestTimeMs, max: largestTimeMs }),
    fc.integer({ min: largestTimeMs - 2000, max: largestTimeMs }),
    fc.integer({ min: -2000, max: 2000 }),
  );
  fc.assert(
    fc.property(slots, fc.integer({ min: 1, max: 100_000 }), (slot, length) => {
      const [n, m] = [BigInt(slot), BigInt(length)];
      expect(placeOf(slot, length)).toBe(Number(((n % m) + m) % m));
    }),
    { seed: 4, numRuns: 5000 },
  );
});
