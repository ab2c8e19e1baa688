import { factorCholesky } from '../math/cholesky.ts';

/** How the weights of a row make up for the rounding of each other. */
export interface Feedback {
  /** The columns in the order of their turns. */
  readonly order: Int32Array;
  /** [turn, turn before]: how much of that one's error a weight takes up. */
  readonly factors: Float64Array;
}

/** Of the mean diagonal: keeps units that never moved, and sums of fewer vectors than units, solvable. */
const DAMPING = 0.01;

/** GPTQ (Frantar 2022) in the form of QuIP (Chee 2023). With the moments H = sum of x x' = R R', R upper triangular, the
 * squared error of a row's sums is e H e' = |e R|^2, and each turn makes one term of it smallest: the weight is rounded
 * with the errors before it times R[j,k] / R[k,k]. That is what walking the columns with the Cholesky factor of the
 * inverse of H does, without an inverse. The largest inputs go first, while most weights are left to make up for them.
 * @param moments [size, size] */
export function createFeedback(moments: Float64Array, size: number): Feedback {
  const power = (k: number) => moments[k * size + k];
  const columns = Array.from({ length: size }, (_, k) => k);
  const order = Int32Array.from(columns.sort((a, b) => power(b) - power(a) || a - b));
  const total = columns.reduce((sum, k) => sum + power(k), 0);
  // without any input every rounding is as good
  const damping = total > 0 ? (DAMPING * total) / size : 1;
  // back to front, because the factor at hand is a lower one
  const lower = new Float64Array(size * size);
  const at = (j: number, k: number) => (size - 1 - j) * size + size - 1 - k;
  for (let j = 0; j < size; j++) {
    for (let k = 0; k < size; k++) lower[at(j, k)] = moments[order[j] * size + order[k]];
    lower[at(j, j)] += damping;
  }
  factorCholesky(lower, size);
  const factors = new Float64Array(size * size);
  for (let k = 0; k < size; k++) {
    for (let j = 0; j < k; j++) factors[k * size + j] = lower[at(j, k)] / lower[at(k, k)];
  }
  return { order, factors };
}
