/** A row-major float32 matrix inside a longer array. */
export interface Matrix {
  readonly values: Float32Array;
  /** Where its first row starts. */
  readonly at: number;
  readonly rows: number;
  readonly columns: number;
}

/** out[outAt..] = M x, one float32 rounding an operation, k ascending: the order that every kernel keeps. Four rows side
 * by side, each in its own order: a sum waits for its last addition, and the others fill the time. From array to array,
 * because a sum handed back as a number may be boxed on the heap. */
export function multiplyRows(
  { values, at, rows, columns }: Matrix,
  x: Float32Array,
  xAt: number,
  out: Float32Array,
  outAt: number,
): void {
  let row = 0;
  for (; row + 3 < rows; row += 4) {
    const w0 = at + row * columns;
    const w1 = w0 + columns;
    const w2 = w1 + columns;
    const w3 = w2 + columns;
    let sum0 = Math.fround(0);
    let sum1 = Math.fround(0);
    let sum2 = Math.fround(0);
    let sum3 = Math.fround(0);
    for (let k = 0; k < columns; k++) {
      const value = x[xAt + k];
      sum0 = Math.fround(sum0 + Math.fround(value * values[w0 + k]));
      sum1 = Math.fround(sum1 + Math.fround(value * values[w1 + k]));
      sum2 = Math.fround(sum2 + Math.fround(value * values[w2 + k]));
      sum3 = Math.fround(sum3 + Math.fround(value * values[w3 + k]));
    }
    out[outAt + row] = sum0;
    out[outAt + row + 1] = sum1;
    out[outAt + row + 2] = sum2;
    out[outAt + row + 3] = sum3;
  }
  for (; row < rows; row++) {
    const w = at + row * columns;
    let sum = Math.fround(0);
    for (let k = 0; k < columns; k++) sum = Math.fround(sum + Math.fround(x[xAt + k] * values[w + k]));
    out[outAt + row] = sum;
  }
}
