// Matrix products. Lanes are neighbouring outputs, so every sum keeps the scalar order and one rounding an operation.
// Loads may run past the end of a row; stores never do.
import { storeLanes } from '../lanes';
import { addBias } from './sums';

/** Columns of a panel: a tile of 2 rows by 16 columns holds 8 of 16 registers with sums. */
const WIDE: i32 = 16;
/** What is left over goes into panels of this width, the last one padded. */
const NARROW: i32 = 8;
/** Rows that all panels pass by before the next ones: what they write stays in the first cache. */
const BLOCK: i32 = 16;

/** Panels of the columns of w^T, [k][width] each, from w [n, k]: how `multiply` reads it. */
export function pack(out: usize, w: usize, n: i32, k: i32): void {
  let j = 0;
  while (j < n) {
    const width = n - j >= WIDE ? WIDE : NARROW;
    const columns = min(width, n - j);
    const step = (<usize>width) << 2;
    let c = 0;
    for (; c + 3 < columns; c += 4) packFour(out + (c << 2), w + (((j + c) * k) << 2), k, step);
    for (; c < width; c++) packOne(out + (c << 2), w + (((j + c) * k) << 2), k, step, c < columns);
    out += (width * k) << 2;
    j += width;
  }
}

function packOne(out: usize, row: usize, k: i32, step: usize, real: bool): void {
  for (let i = 0; i < k; i++) {
    store<f32>(out, real ? load<f32>(row) : 0);
    out += step;
    row += 4;
  }
}

/** Four rows become four columns, four by four. */
function packFour(out: usize, row: usize, k: i32, step: usize): void {
  const next = (<usize>k) << 2;
  let i = 0;
  for (; i + 3 < k; i += 4) {
    const a = v128.load(row);
    const b = v128.load(row + next);
    const c = v128.load(row + 2 * next);
    const d = v128.load(row + 3 * next);
    const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(out, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
    v128.store(out + step, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
    v128.store(out + 2 * step, v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5));
    v128.store(out + 3 * step, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7));
    out += 4 * step;
    row += 16;
  }
  for (; i < k; i++) {
    store<f32>(out, load<f32>(row));
    store<f32>(out + 4, load<f32>(row + next));
    store<f32>(out + 8, load<f32>(row + 2 * next));
    store<f32>(out + 12, load<f32>(row + 3 * next));
    out += step;
    row += 4;
  }
}

/** Panels of the columns of w, [n][width] each, from w [n, k]: how `multiplyBack` reads it. */
export function packBack(out: usize, w: usize, n: i32, k: i32): void {
  let i = 0;
  while (i < k) {
    const width = k - i >= WIDE ? WIDE : NARROW;
    let row = w + (i << 2);
    for (let j = 0; j < n; j++) {
      v128.store(out, v128.load(row));
      v128.store(out + 16, v128.load(row + 16));
      if (width === WIDE) {
        v128.store(out + 32, v128.load(row + 32));
        v128.store(out + 48, v128.load(row + 48));
      }
      out += width << 2;
      row += k << 2;
    }
    i += width;
  }
}

/** out[r, c] = (onto ? out[r, c] : 0) + sum_q x[r, q] panel[q][c], q ascending; out [rows, n], x [rows, k]. */
export function multiply(out: usize, x: usize, panels: usize, rows: i32, n: i32, k: i32, onto: bool): void {
  for (let r = 0; r < rows; r += BLOCK) {
    multiplyBlock(out + ((r * n) << 2), x + ((r * k) << 2), panels, min(BLOCK, rows - r), n, k, onto);
  }
}

/** The same from 0, then out[r, c] += bias[biasRows[r], c]. */
export function affine(
  out: usize,
  x: usize,
  panels: usize,
  rows: i32,
  n: i32,
  k: i32,
  bias: usize,
  biasRows: usize,
): void {
  for (let r = 0; r < rows; r += BLOCK) {
    const block = out + ((r * n) << 2);
    const count = min(BLOCK, rows - r);
    multiplyBlock(block, x + ((r * k) << 2), panels, count, n, k, false);
    addBias(block, bias, biasRows + (r << 2), count, n);
  }
}

function multiplyBlock(out: usize, x: usize, panels: usize, rows: i32, n: i32, k: i32, onto: bool): void {
  const outRow = (<usize>n) << 2;
  const xRow = (<usize>k) << 2;
  let j = 0;
  while (j < n) {
    const width = n - j >= WIDE ? WIDE : NARROW;
    let to = out;
    let from = x;
    let r = 0;
    if (width === WIDE) {
      for (; r + 1 < rows; r += 2) {
        twoByWide(to, to + outRow, from, from + xRow, panels, k, onto);
        to += 2 * outRow;
        from += 2 * xRow;
      }
      if (r < rows) oneByWide(to, from, panels, k, onto);
    } else {
      const columns = n - j;
      for (; r + 1 < rows; r += 2) {
        twoByNarrow(to, to + outRow, from, from + xRow, panels, k, onto, columns);
        to += 2 * outRow;
        from += 2 * xRow;
      }
      if (r < rows) oneByNarrow(to, from, panels, k, onto, columns);
    }
    panels += (width * k) << 2;
    out += (<usize>width) << 2;
    j += width;
  }
}

function twoByWide(outA: usize, outB: usize, a: usize, b: usize, panel: usize, k: i32, onto: bool): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  if (onto) {
    a0 = v128.load(outA);
    a1 = v128.load(outA, 16);
    a2 = v128.load(outA, 32);
    a3 = v128.load(outA, 48);
    b0 = v128.load(outB);
    b1 = v128.load(outB, 16);
    b2 = v128.load(outB, 32);
    b3 = v128.load(outB, 48);
  }
  const end = a + (k << 2);
  while (a < end) {
    const valueA = v128.load32_splat(a);
    const valueB = v128.load32_splat(b);
    const w0 = v128.load(panel);
    a0 = f32x4.add(a0, f32x4.mul(valueA, w0));
    b0 = f32x4.add(b0, f32x4.mul(valueB, w0));
    const w1 = v128.load(panel, 16);
    a1 = f32x4.add(a1, f32x4.mul(valueA, w1));
    b1 = f32x4.add(b1, f32x4.mul(valueB, w1));
    const w2 = v128.load(panel, 32);
    a2 = f32x4.add(a2, f32x4.mul(valueA, w2));
    b2 = f32x4.add(b2, f32x4.mul(valueB, w2));
    const w3 = v128.load(panel, 48);
    a3 = f32x4.add(a3, f32x4.mul(valueA, w3));
    b3 = f32x4.add(b3, f32x4.mul(valueB, w3));
    a += 4;
    b += 4;
    panel += 64;
  }
  v128.store(outA, a0);
  v128.store(outA, a1, 16);
  v128.store(outA, a2, 32);
  v128.store(outA, a3, 48);
  v128.store(outB, b0);
  v128.store(outB, b1, 16);
  v128.store(outB, b2, 32);
  v128.store(outB, b3, 48);
}

function oneByWide(out: usize, a: usize, panel: usize, k: i32, onto: bool): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  if (onto) {
    a0 = v128.load(out);
    a1 = v128.load(out, 16);
    a2 = v128.load(out, 32);
    a3 = v128.load(out, 48);
  }
  const end = a + (k << 2);
  while (a < end) {
    const value = v128.load32_splat(a);
    a0 = f32x4.add(a0, f32x4.mul(value, v128.load(panel)));
    a1 = f32x4.add(a1, f32x4.mul(value, v128.load(panel, 16)));
    a2 = f32x4.add(a2, f32x4.mul(value, v128.load(panel, 32)));
    a3 = f32x4.add(a3, f32x4.mul(value, v128.load(panel, 48)));
    a += 4;
    panel += 64;
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
}

function twoByNarrow(
  outA: usize,
  outB: usize,
  a: usize,
  b: usize,
  panel: usize,
  k: i32,
  onto: bool,
  columns: i32,
): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let b0 = a0;
  let b1 = a0;
  if (onto) {
    a0 = v128.load(outA);
    a1 = v128.load(outA, 16);
    b0 = v128.load(outB);
    b1 = v128.load(outB, 16);
  }
  const end = a + (k << 2);
  while (a < end) {
    const valueA = v128.load32_splat(a);
    const valueB = v128.load32_splat(b);
    const w0 = v128.load(panel);
    a0 = f32x4.add(a0, f32x4.mul(valueA, w0));
    b0 = f32x4.add(b0, f32x4.mul(valueB, w0));
    const w1 = v128.load(panel, 16);
    a1 = f32x4.add(a1, f32x4.mul(valueA, w1));
    b1 = f32x4.add(b1, f32x4.mul(valueB, w1));
    a += 4;
    b += 4;
    panel += 32;
  }
  storeLanes(outA, a0, columns);
  storeLanes(outA + 16, a1, columns - 4);
  storeLanes(outB, b0, columns);
  storeLanes(outB + 16, b1, columns - 4);
}

function oneByNarrow(out: usize, a: usize, panel: usize, k: i32, onto: bool, columns: i32): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  if (onto) {
    a0 = v128.load(out);
    a1 = v128.load(out, 16);
  }
  const end = a + (k << 2);
  while (a < end) {
    const value = v128.load32_splat(a);
    a0 = f32x4.add(a0, f32x4.mul(value, v128.load(panel)));
    a1 = f32x4.add(a1, f32x4.mul(value, v128.load(panel, 16)));
    a += 4;
    panel += 32;
  }
  storeLanes(out, a0, columns);
  storeLanes(out + 16, a1, columns - 4);
}
