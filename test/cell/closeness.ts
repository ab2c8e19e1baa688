import { expect } from 'vitest';

function isVector(value: object): value is ArrayLike<number> {
  return ArrayBuffer.isView(value) || Array.isArray(value);
}

/** |actual - expected| <= tolerance * max(1, |expected|) for every number of two equally shaped values. */
export function expectClose(actual: unknown, expected: unknown, tolerance: number, place = 'value'): void {
  if (typeof expected === 'number') {
    expect(Math.abs((actual as number) - expected), place).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(expected)),
    );
    return;
  }
  const [mine, theirs] = [actual as object, expected as object];
  if (isVector(theirs)) expect((mine as ArrayLike<number>).length, `${place}.length`).toBe(theirs.length);
  else expect(Object.keys(mine).sort(), place).toEqual(Object.keys(theirs).sort());
  for (const [key, value] of Object.entries(theirs)) {
    expectClose((mine as Record<string, unknown>)[key], value, tolerance, `${place}.${key}`);
  }
}
