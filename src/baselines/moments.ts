/** Sums over windows of inputs x [D] and answers y [R]: all that least squares needs to know of its data. */
export interface Moments {
  /** D */
  readonly inputs: number;
  /** R */
  readonly outputs: number;
  count: number;
  /** Σ x [D] */
  readonly x: Float64Array;
  /** Σ y [R] */
  readonly y: Float64Array;
  /** Σ x x' [D, D] */
  readonly xx: Float64Array;
  /** Σ x y' [D, R] */
  readonly xy: Float64Array;
  /** Σ y² [R] */
  readonly yy: Float64Array;
}

export function emptyMoments(inputs: number, outputs: number): Moments {
  return {
    inputs,
    outputs,
    count: 0,
    x: new Float64Array(inputs),
    y: new Float64Array(outputs),
    xx: new Float64Array(inputs * inputs),
    xy: new Float64Array(inputs * outputs),
    yy: new Float64Array(outputs),
  };
}

/** Adds `more`, of the same shape, to `total`. */
export function addMoments(total: Moments, more: Moments): void {
  total.count += more.count;
  for (const part of ['x', 'y', 'xx', 'xy', 'yy'] as const) {
    const sums = total[part];
    const terms = more[part];
    for (let i = 0; i < sums.length; i++) sums[i] += terms[i];
  }
}

/** Adds one window. Of xx only the lower triangle: `mirrorMoments` ends the adding. */
export function addWindow(moments: Moments, v: Float64Array, w: Float64Array): void {
  const { inputs, outputs, x, y, xx, xy, yy } = moments;
  moments.count++;
  for (let i = 0; i < inputs; i++) {
    const xi = v[i];
    x[i] += xi;
    for (let j = 0; j <= i; j++) xx[i * inputs + j] += xi * v[j];
    for (let r = 0; r < outputs; r++) xy[i * outputs + r] += xi * w[r];
  }
  for (let r = 0; r < outputs; r++) {
    y[r] += w[r];
    yy[r] += w[r] * w[r];
  }
}

export function mirrorMoments({ inputs, xx }: Moments): void {
  for (let i = 0; i < inputs; i++) {
    for (let j = 0; j < i; j++) xx[j * inputs + i] = xx[i * inputs + j];
  }
}

/** G[u, v] = Σ_t z[t + u] z[t + v] over `count` values of t from `start`, for u, v below `width`; then the sums of
 * z[t + u]. One step along a diagonal only changes the two ends of a sum, so that all of G costs little more than
 * its first row. */
function lagProducts(z: Float64Array, start: number, count: number, width: number) {
  const products = new Float64Array(width * width);
  const sums = new Float64Array(width);
  for (let v = 0; v < width; v++) {
    let product = 0;
    let sum = 0;
    for (let t = start; t < start + count; t++) {
      product += z[t] * z[t + v];
      sum += z[t + v];
    }
    sums[v] = sum;
    products[v] = product;
    for (let u = 1; u + v < width; u++) {
      const first = z[start + u - 1] * z[start + u - 1 + v];
      const next = z[start + count + u - 1] * z[start + count + u - 1 + v];
      product += next - first;
      products[u * width + u + v] = product;
    }
  }
  for (let u = 0; u < width; u++) {
    for (let v = 0; v < u; v++) products[u * width + v] = products[v * width + u];
  }
  return { products, sums };
}

/** The moments of windows of one series: x_j = z[t-j] - z[t] for j = 1..window-1, y_s = z[t+s] - z[t] for s = 1..steps.
 * @param start t of the first window, which reaches `window - 1` back
 * @param count windows, one a t */
export function slidingMoments(
  z: Float64Array,
  { start, count, window, steps }: { start: number; count: number; window: number; steps: number },
): Moments {
  const moments = emptyMoments(window - 1, steps);
  if (count <= 0) return moments;
  const width = window + steps;
  const newest = window - 1;
  const { products, sums } = lagProducts(z, start - newest, count, width);
  // Σ (z[u] - z[newest]) (z[v] - z[newest])
  const differences = (u: number, v: number) =>
    products[u * width + v] -
    products[u * width + newest] -
    products[newest * width + v] +
    products[newest * width + newest];
  const { inputs, x, y, xx, xy, yy } = moments;
  moments.count = count;
  for (let i = 0; i < inputs; i++) {
    const u = newest - 1 - i;
    x[i] = sums[u] - sums[newest];
    for (let j = 0; j < inputs; j++) xx[i * inputs + j] = differences(u, newest - 1 - j);
    for (let s = 0; s < steps; s++) xy[i * steps + s] = differences(u, newest + 1 + s);
  }
  for (let s = 0; s < steps; s++) {
    y[s] = sums[newest + 1 + s] - sums[newest];
    yy[s] = differences(newest + 1 + s, newest + 1 + s);
  }
  return moments;
}
