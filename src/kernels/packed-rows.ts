/** Two rows side by side in one float64, for machines without SIMD: w0 + 2^26 w1. Times an integer and summed it holds both
 * rows' sums exactly as long as each stays below 2^25, which int8 does up to 2,080 columns. */
export interface PackedRows {
  /** [rows / 2, columns] */
  readonly values: Float64Array;
  /** x as float64. */
  readonly x: Float64Array;
}

const SHIFT = 2 ** 26;

/** @param matrix [rows, columns], int8 within 127, an even number of rows */
export function packRows(matrix: Int16Array, columns: number): PackedRows {
  const values = new Float64Array(matrix.length / 2);
  for (let i = 0; i < values.length; i++) {
    const at = 2 * i - (i % columns);
    values[i] = matrix[at] + SHIFT * matrix[at + columns];
  }
  return { values, x: new Float64Array(columns) };
}

/** out = M x, the sums of multiplyIntegers; x within 127. Four pairs of rows side by side, as there. */
export function multiplyPackedRows({ values, x: wide }: PackedRows, x: Int16Array, out: Int32Array): void {
  const columns = x.length;
  for (let k = 0; k < columns; k++) wide[k] = x[k];
  let pair = 0;
  for (; 2 * pair + 7 < out.length; pair += 4) {
    const w0 = pair * columns;
    const w1 = w0 + columns;
    const w2 = w1 + columns;
    const w3 = w2 + columns;
    let sum0 = 0;
    let sum1 = 0;
    let sum2 = 0;
    let sum3 = 0;
    for (let k = 0; k < columns; k++) {
      const value = wide[k];
      sum0 += value * values[w0 + k];
      sum1 += value * values[w1 + k];
      sum2 += value * values[w2 + k];
      sum3 += value * values[w3 + k];
    }
    takeApart(sum0, out, 2 * pair);
    takeApart(sum1, out, 2 * pair + 2);
    takeApart(sum2, out, 2 * pair + 4);
    takeApart(sum3, out, 2 * pair + 6);
  }
  for (; 2 * pair < out.length; pair++) {
    let sum = 0;
    for (let k = 0; k < columns; k++) sum += wide[k] * values[pair * columns + k];
    takeApart(sum, out, 2 * pair);
  }
}

/** The nearest multiple of 2^26 is the second row's share. */
function takeApart(sum: number, out: Int32Array, at: number): void {
  const second = Math.round(sum / SHIFT);
  out[at] = sum - second * SHIFT;
  out[at + 1] = second;
}
