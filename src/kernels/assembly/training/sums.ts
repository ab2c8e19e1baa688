// Biases, sums and the optimizer: element by element.
import { storeLanes } from '../lanes';

/** out += x */
export function add(out: usize, x: usize, length: i32): void {
  for (let i = 0; i < length; i += 4) {
    const at = (<usize>i) << 2;
    storeLanes(out + at, f32x4.add(v128.load(out + at), v128.load(x + at)), length - i);
  }
}

/** out *= x */
export function scale(out: usize, x: usize, length: i32): void {
  for (let i = 0; i < length; i += 4) {
    const at = (<usize>i) << 2;
    storeLanes(out + at, f32x4.mul(v128.load(out + at), v128.load(x + at)), length - i);
  }
}

/** out[r, j] += bias[biasRows[r], j] */
export function addBias(out: usize, bias: usize, biasRows: usize, rows: i32, n: i32): void {
  for (let r = 0; r < rows; r++) {
    add(out, bias + ((load<i32>(biasRows) * n) << 2), n);
    out += (<usize>n) << 2;
    biasRows += 4;
  }
}

/** gradient[biasRows[t, r], j] += d[t, r, j], t descending, then r ascending; d has rows of `stride`. */
export function accumulateBias(
  gradient: usize,
  d: usize,
  biasRows: usize,
  steps: i32,
  rows: i32,
  n: i32,
  stride: i32,
): void {
  if (steps * rows === 0) return;
  for (let j = 0; j < n; j += 16) {
    const at = (<usize>j) << 2;
    addColumns(gradient + at, d + at, biasRows, steps, rows, n - j, n << 2, stride << 2);
  }
}

/** Up to sixteen columns of a bias stay in registers for as long as the rows share it. */
function addColumns(
  gradient: usize,
  d: usize,
  biasRows: usize,
  steps: i32,
  rows: i32,
  columns: i32,
  biasBytes: usize,
  rowBytes: usize,
): void {
  let bias = load<i32>(biasRows + (((steps - 1) * rows) << 2));
  let out = gradient + <usize>bias * biasBytes;
  let a = v128.load(out);
  let b = v128.load(out, 16);
  let c = v128.load(out, 32);
  let e = v128.load(out, 48);
  for (let t = steps - 1; t >= 0; t--) {
    let row = d + <usize>(t * rows) * rowBytes;
    for (let r = t * rows; r < (t + 1) * rows; r++) {
      const own = load<i32>(biasRows + (r << 2));
      if (own !== bias) {
        storeColumns(out, a, b, c, e, columns);
        bias = own;
        out = gradient + <usize>bias * biasBytes;
        a = v128.load(out);
        b = v128.load(out, 16);
        c = v128.load(out, 32);
        e = v128.load(out, 48);
      }
      a = f32x4.add(a, v128.load(row));
      b = f32x4.add(b, v128.load(row, 16));
      c = f32x4.add(c, v128.load(row, 32));
      e = f32x4.add(e, v128.load(row, 48));
      row += rowBytes;
    }
  }
  storeColumns(out, a, b, c, e, columns);
}

function storeColumns(out: usize, a: v128, b: v128, c: v128, e: v128, columns: i32): void {
  storeLanes(out, a, columns);
  storeLanes(out + 16, b, columns - 4);
  storeLanes(out + 32, c, columns - 8);
  storeLanes(out + 48, e, columns - 12);
}

/** m' = b1 m + a1 g,  v' = b2 v + a2 g^2,  w' = keep w - rate (m'/k1) / (sqrt(v'/k2) + eps) */
export function adam(
  parameters: usize,
  gradient: usize,
  m: usize,
  v: usize,
  length: i32,
  rate: f32,
  keep: f32,
  correction1: f32,
  correction2: f32,
  b1: f32,
  a1: f32,
  b2: f32,
  a2: f32,
  epsilon: f32,
): void {
  for (let i = 0; i < length; i += 4) {
    const at = (<usize>i) << 2;
    const g = v128.load(gradient + at);
    const mean = f32x4.add(f32x4.mul(f32x4.splat(b1), v128.load(m + at)), f32x4.mul(f32x4.splat(a1), g));
    const square = f32x4.add(
      f32x4.mul(f32x4.splat(b2), v128.load(v + at)),
      f32x4.mul(f32x4.splat(a2), f32x4.mul(g, g)),
    );
    storeLanes(m + at, mean, length - i);
    storeLanes(v + at, square, length - i);
    const root = f32x4.sqrt(f32x4.div(square, f32x4.splat(correction2)));
    const step = f32x4.div(f32x4.div(mean, f32x4.splat(correction1)), f32x4.add(root, f32x4.splat(epsilon)));
    const kept = f32x4.mul(f32x4.splat(keep), v128.load(parameters + at));
    storeLanes(parameters + at, f32x4.sub(kept, f32x4.mul(f32x4.splat(rate), step)), length - i);
  }
}
