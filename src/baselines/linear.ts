import { factorCholesky, solveCholesky } from '../math/cholesky.ts';
import type { Moments } from './moments.ts';

export const lambdas: readonly number[] = [0.01, 0.1, 1, 10, 100, 1e3, 3e3, 1e4, 3e4, 1e5];

/** y = bias + x weights, each of its R outputs under the penalty that validation chose for it. */
export interface LinearMap {
  /** [D, R] */
  readonly weights: Float64Array;
  /** [R] */
  readonly bias: Float64Array;
  /** [R] */
  readonly lambdas: Float64Array;
  /** [R], sums of squared errors over the validation pairs. */
  readonly squares: Float64Array;
}

/** A window of the validation part with answers that must not count: they were never read. */
export interface UncountedWindow {
  /** [D] */
  readonly x: Float64Array;
  /** [R] */
  readonly y: Float64Array;
  /** Of R. */
  readonly outputs: readonly number[];
}

/** Least squares with a penalty on the weights: (X'X + λ) w = X'Y, inputs and outputs less their means. */
export function fitLinear(
  train: Moments,
  validation: Moments,
  uncounted: () => Iterable<UncountedWindow>,
): LinearMap {
  const { inputs, outputs } = train;
  const best: LinearMap = {
    weights: new Float64Array(inputs * outputs),
    bias: new Float64Array(outputs),
    lambdas: new Float64Array(outputs),
    squares: new Float64Array(outputs).fill(Number.POSITIVE_INFINITY),
  };
  const centered = center(train);
  for (const lambda of lambdas) {
    const weights = solveRidge(centered, lambda);
    const bias = biasOf(train, weights);
    const squares = squaredErrors(validation, weights, bias);
    for (const window of uncounted()) leaveOut(window, { weights, bias, squares });
    for (let r = 0; r < outputs; r++) {
      if (!(squares[r] < best.squares[r])) continue;
      best.squares[r] = squares[r];
      best.lambdas[r] = lambda;
      best.bias[r] = bias[r];
      for (let i = 0; i < inputs; i++) best.weights[i * outputs + r] = weights[i * outputs + r];
    }
  }
  return best;
}

/** The same fit on other data, every output under the penalty that it has. */
export function refitLinear(map: LinearMap, data: Moments): LinearMap {
  const { inputs, outputs } = data;
  const weights = new Float64Array(inputs * outputs);
  const centered = center(data);
  for (const lambda of new Set(map.lambdas)) {
    const solved = solveRidge(centered, lambda);
    for (let at = 0; at < weights.length; at++) {
      if (map.lambdas[at % outputs] === lambda) weights[at] = solved[at];
    }
  }
  return { ...map, weights, bias: biasOf(data, weights) };
}

function center({ inputs, outputs, count, x, y, xx, xy }: Moments) {
  const products = Float64Array.from(xx);
  const answers = Float64Array.from(xy);
  for (let i = 0; i < inputs; i++) {
    const mean = x[i] / count;
    for (let j = 0; j < inputs; j++) products[i * inputs + j] -= mean * x[j];
    for (let r = 0; r < outputs; r++) answers[i * outputs + r] -= mean * y[r];
  }
  return { products, answers, inputs };
}

function solveRidge({ products, answers, inputs }: ReturnType<typeof center>, lambda: number): Float64Array {
  const factor = Float64Array.from(products);
  for (let i = 0; i < inputs; i++) factor[i * inputs + i] += lambda;
  factorCholesky(factor, inputs);
  const weights = Float64Array.from(answers);
  solveCholesky(factor, inputs, weights);
  return weights;
}

/** The bias that makes the mean answer right: mean y - mean x weights. */
function biasOf({ inputs, outputs, count, x, y }: Moments, weights: Float64Array): Float64Array {
  const bias = y.map((sum) => sum / count);
  for (let i = 0; i < inputs; i++) {
    const mean = x[i] / count;
    for (let r = 0; r < outputs; r++) bias[r] -= mean * weights[i * outputs + r];
  }
  return bias;
}

/** Σ (y - bias - x w)², from the moments: yy - 2 (w'xy + bias y) + w'xx w + 2 bias w'x + n bias². */
function squaredErrors(moments: Moments, weights: Float64Array, bias: Float64Array): Float64Array {
  const { inputs, outputs, count, x, y, xx, xy, yy } = moments;
  const squares = yy.map((sum, r) => sum - 2 * bias[r] * y[r] + count * bias[r] * bias[r]);
  const product = new Float64Array(outputs);
  for (let i = 0; i < inputs; i++) {
    product.fill(0);
    for (let j = 0; j < inputs; j++) {
      const factor = xx[i * inputs + j];
      for (let r = 0; r < outputs; r++) product[r] += factor * weights[j * outputs + r];
    }
    for (let r = 0; r < outputs; r++) {
      squares[r] += weights[i * outputs + r] * (product[r] - 2 * xy[i * outputs + r] + 2 * bias[r] * x[i]);
    }
  }
  return squares;
}

function leaveOut(
  { x, y, outputs }: UncountedWindow,
  { weights, bias, squares }: Pick<LinearMap, 'weights' | 'bias' | 'squares'>,
): void {
  for (const r of outputs) {
    let error = bias[r] - y[r];
    for (let i = 0; i < x.length; i++) error += x[i] * weights[i * bias.length + r];
    squares[r] -= error * error;
  }
}
