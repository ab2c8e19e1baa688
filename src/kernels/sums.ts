/** x[at..] . w[row..], one float32 rounding an operation, k ascending: the order that every kernel keeps. */
export function dot(x: Float32Array, at: number, w: Float32Array, row: number, length: number): number {
  let sum = Math.fround(0);
  for (let k = 0; k < length; k++) sum = Math.fround(sum + Math.fround(x[at + k] * w[row + k]));
  return sum;
}
