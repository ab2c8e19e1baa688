/** Factors A = L L' in place: the lower triangle of `a` [n, n], symmetric and positive definite, becomes L. */
export function factorCholesky(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const rowI = i * n;
    for (let j = 0; j <= i; j++) {
      const rowJ = j * n;
      let sum = a[rowI + j];
      for (let k = 0; k < j; k++) sum -= a[rowI + k] * a[rowJ + k];
      a[rowI + j] = i === j ? Math.sqrt(sum) : sum / a[rowJ + j];
    }
  }
}

/** Solves L L' x = b for every column of `b` [n, columns], which becomes x. */
export function solveCholesky(l: Float64Array, n: number, b: Float64Array): void {
  const columns = b.length / n;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) subtractRow(b, columns, i, j, l[i * n + j]);
    divideRow(b, columns, i, l[i * n + i]);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let j = i + 1; j < n; j++) subtractRow(b, columns, i, j, l[j * n + i]);
    divideRow(b, columns, i, l[i * n + i]);
  }
}

/** b[i] -= factor * b[j] */
function subtractRow(b: Float64Array, columns: number, i: number, j: number, factor: number): void {
  const rowI = i * columns;
  const rowJ = j * columns;
  for (let c = 0; c < columns; c++) b[rowI + c] -= factor * b[rowJ + c];
}

function divideRow(b: Float64Array, columns: number, i: number, divisor: number): void {
  for (let c = i * columns; c < (i + 1) * columns; c++) b[c] /= divisor;
}
