// adding 1.5 * 2^23 leaves no bit for a fraction: the float32 addition itself rounds half to even
export const ROUNDING = 12582912;

/** Rounds half to even; exact for float32 |x| below 2^22. */
export function roundHalfEven(x: number): number {
  return Math.fround(Math.fround(x) + ROUNDING) - ROUNDING;
}
