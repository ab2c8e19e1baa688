/** A row-major float32 matrix inside a longer array. */
export interface Matrix {
  readonly values: Float32Array;
  /** Where its first row starts. */
  readonly at: number;
  readonly rows: number;
  readonly columns: number;
}

/** out[outAt..] = M x, one float32 rounding an operation, k ascending: the order that every kernel keeps. From array to
 * array, because a sum handed back as a number may be boxed on the heap. */
export function multiplyRows(
  { values, at, rows, columns }: Matrix,
  x: Float32Array,
  xAt: number,
  out: Float32Array,
  outAt: number,
): void {
  for (let row = 0; row < rows; row++) {
    const w = at + row * columns;
    let sum = Math.fround(0);
    for (let k = 0; k < columns; k++) sum = Math.fround(sum + Math.fround(x[xAt + k] * values[w + k]));
    out[outAt + row] = sum;
  }
}
