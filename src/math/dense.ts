/** Products and sums of float64 vectors and row-major matrices, for the readable reference cells: every call makes
 * its result, and a matrix knows its shape from the vector it meets. */

/** M v.  [rows, columns] times [columns], each row summed with its columns ascending */
export function multiply(matrix: ArrayLike<number>, vector: ArrayLike<number>): Float64Array {
  const columns = vector.length;
  const product = new Float64Array(matrix.length / columns);
  for (let row = 0; row < product.length; row++) {
    let sum = 0;
    for (let k = 0; k < columns; k++) sum += matrix[row * columns + k] * vector[k];
    product[row] = sum;
  }
  return product;
}

/** Mᵀ v.  [rows, columns] transposed times [rows]: how a gradient goes back through `multiply` */
export function multiplyTransposed(matrix: ArrayLike<number>, vector: ArrayLike<number>): Float64Array {
  const rows = vector.length;
  const product = new Float64Array(matrix.length / rows);
  const columns = product.length;
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < columns; k++) product[k] += matrix[row * columns + k] * vector[row];
  }
  return product;
}

export function add(left: ArrayLike<number>, right: ArrayLike<number>): Float64Array {
  return Float64Array.from(left, (value, k) => value + right[k]);
}

/** total += values */
export function addTo(total: Float64Array, values: ArrayLike<number>): void {
  for (let k = 0; k < total.length; k++) total[k] += values[k];
}

/** M += left rightᵀ: the gradient of M in `multiply(M, right)` when that of the product is `left` */
export function addOuterProduct(
  matrix: Float64Array,
  left: ArrayLike<number>,
  right: ArrayLike<number>,
): void {
  const columns = right.length;
  for (let row = 0; row < left.length; row++) {
    for (let k = 0; k < columns; k++) matrix[row * columns + k] += left[row] * right[k];
  }
}

/** Views of the equal parts of a vector, in order: the gates of [G*H] pre-activations. */
export function split(vector: Float64Array, parts: number): Float64Array[] {
  const length = vector.length / parts;
  return Array.from({ length: parts }, (_, part) => vector.subarray(part * length, (part + 1) * length));
}
