/** cos(pi * x) for x in [0, 1], from basic operations alone: Math.cos may differ between machines.
 * The Taylor series to the 18th power on [0, pi/2]: error below 1e-14. */
export function cosinePi(x: number): number {
  if (x > 0.5) return -cosinePi(1 - x);
  const angle2 = Math.PI * x * (Math.PI * x);
  let sum = 1;
  for (let n = 18; n > 0; n -= 2) sum = 1 - (angle2 / (n * (n - 1))) * sum;
  return sum;
}
