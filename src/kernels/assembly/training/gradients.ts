// Weight gradients: sums over rows, t descending, then r ascending. Lanes are neighbouring columns of x.
import { storeLanes } from '../lanes';

/** Columns of a tile, and of those for what is left over, the last one in part. */
const WIDE: i32 = 16;
const NARROW: i32 = 8;
/** Rows that add up in one visit of a tile: their x stay in the first cache while the tiles pass by. */
const BLOCK: i32 = 32;
/** Columns of x from which on a block of four columns of d is gathered first: its rows lie far apart and would push
 * each other out of the cache. */
const GATHERED_FROM: i32 = 128;
/** Where a thread gathers them. */
let gathered: usize = 0;
const GATHERED_BYTES: usize = 16 * BLOCK;
/** Threads that share a memory. */
const MOST_THREADS: usize = 64;

/** Where the memory is free from, for all threads; to be asked by each before anything else. */
export function firstFree(thread: i32): usize {
  const own = (__heap_base + 63) & ~63;
  gathered = own + <usize>thread * GATHERED_BYTES;
  return own + MOST_THREADS * GATHERED_BYTES;
}

// the block in hand; globals belong to one instance and so to one thread
let blockSteps: i32 = 0;
/** Its rows of one time step, and the bytes of x that they take. */
let blockRows: i32 = 0;
let blockBytes: usize = 0;
// bytes from a row to the next and from a time step to the next
let dRow: usize = 0;
let xRow: usize = 0;
let dStep: usize = 0;
let xStep: usize = 0;
// the same for the four columns of d in hand, gathered or not
let slopeRow: usize = 0;
let slopeStep: usize = 0;

/** gradient[j, i] += d[t, r, j] x[t, r, i], t descending, then r ascending; d [steps, rows, n], x [steps, rows, k]. */
export function accumulate(gradient: usize, d: usize, x: usize, steps: i32, rows: i32, n: i32, k: i32): void {
  if (rows === 0) return;
  dRow = (<usize>n) << 2;
  xRow = (<usize>k) << 2;
  dStep = <usize>rows * dRow;
  xStep = <usize>rows * xRow;
  const most = max(1, BLOCK / rows);
  let t = steps - 1;
  while (t >= 0) {
    blockSteps = min(most, t + 1);
    for (let r = 0; r < rows; r += BLOCK) {
      blockRows = min(BLOCK, rows - r);
      blockBytes = <usize>blockRows * xRow;
      const from = <usize>(t * rows + r);
      addBlock(gradient, d + from * dRow, x + from * xRow, n, k);
    }
    t -= blockSteps;
  }
}

function addBlock(gradient: usize, d: usize, x: usize, n: i32, k: i32): void {
  const left = k % WIDE;
  const wide = k - left;
  const gathers = wide >= GATHERED_FROM;
  slopeRow = gathers ? 16 : dRow;
  slopeStep = gathers ? -(<usize>blockRows * 16) : dStep;
  let j = 0;
  for (; j + 3 < n; j += 4) {
    const slopes = gathers ? gatherFour(d) : d;
    for (let i = 0; i < wide; i += WIDE) {
      addTwoByWide(gradient + (i << 2), slopes, x + (i << 2));
      addTwoByWide(gradient + (i << 2) + 2 * xRow, slopes + 8, x + (i << 2));
    }
    for (let i = wide; i < k; i += NARROW) addFourByNarrow(gradient + (i << 2), slopes, x + (i << 2), k - i);
    gradient += 4 * xRow;
    d += 16;
  }
  slopeRow = dRow;
  slopeStep = dStep;
  for (; j < n; j++) {
    for (let i = 0; i < k; i += NARROW) addOneByNarrow(gradient + (i << 2), d, x + (i << 2), k - i);
    gradient += xRow;
    d += 4;
  }
}

/** The block's rows of four columns of d, one after the other. */
function gatherFour(d: usize): usize {
  const dNext = dRow;
  let to = gathered;
  for (let t = 0; t < blockSteps; t++) {
    let from = d;
    const end = to + ((<usize>blockRows) << 4);
    while (to < end) {
      v128.store(to, v128.load(from));
      from += dNext;
      to += 16;
    }
    d -= dStep;
  }
  return gathered;
}

function addTwoByWide(out: usize, d: usize, x: usize): void {
  const dNext = slopeRow;
  const xNext = xRow;
  const outB = out + xNext;
  let a0 = v128.load(out);
  let a1 = v128.load(out, 16);
  let a2 = v128.load(out, 32);
  let a3 = v128.load(out, 48);
  let b0 = v128.load(outB);
  let b1 = v128.load(outB, 16);
  let b2 = v128.load(outB, 32);
  let b3 = v128.load(outB, 48);
  const bytes = blockBytes;
  for (let t = 0; t < blockSteps; t++) {
    let slopes = d;
    let values = x;
    const end = x + bytes;
    while (values < end) {
      const slopeA = v128.load32_splat(slopes);
      const slopeB = v128.load32_splat(slopes, 4);
      const x0 = v128.load(values);
      a0 = f32x4.add(a0, f32x4.mul(slopeA, x0));
      b0 = f32x4.add(b0, f32x4.mul(slopeB, x0));
      const x1 = v128.load(values, 16);
      a1 = f32x4.add(a1, f32x4.mul(slopeA, x1));
      b1 = f32x4.add(b1, f32x4.mul(slopeB, x1));
      const x2 = v128.load(values, 32);
      a2 = f32x4.add(a2, f32x4.mul(slopeA, x2));
      b2 = f32x4.add(b2, f32x4.mul(slopeB, x2));
      const x3 = v128.load(values, 48);
      a3 = f32x4.add(a3, f32x4.mul(slopeA, x3));
      b3 = f32x4.add(b3, f32x4.mul(slopeB, x3));
      slopes += dNext;
      values += xNext;
    }
    d -= slopeStep;
    x -= xStep;
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
  v128.store(outB, b0);
  v128.store(outB, b1, 16);
  v128.store(outB, b2, 32);
  v128.store(outB, b3, 48);
}

function addFourByNarrow(out: usize, d: usize, x: usize, columns: i32): void {
  const dNext = slopeRow;
  const xNext = xRow;
  const outB = out + xNext;
  const outC = outB + xNext;
  const outD = outC + xNext;
  let a0 = v128.load(out);
  let a1 = v128.load(out, 16);
  let b0 = v128.load(outB);
  let b1 = v128.load(outB, 16);
  let c0 = v128.load(outC);
  let c1 = v128.load(outC, 16);
  let d0 = v128.load(outD);
  let d1 = v128.load(outD, 16);
  const bytes = blockBytes;
  for (let t = 0; t < blockSteps; t++) {
    let slopes = d;
    let values = x;
    const end = x + bytes;
    while (values < end) {
      const slopeA = v128.load32_splat(slopes);
      const slopeB = v128.load32_splat(slopes, 4);
      const slopeC = v128.load32_splat(slopes, 8);
      const slopeD = v128.load32_splat(slopes, 12);
      const x0 = v128.load(values);
      a0 = f32x4.add(a0, f32x4.mul(slopeA, x0));
      b0 = f32x4.add(b0, f32x4.mul(slopeB, x0));
      c0 = f32x4.add(c0, f32x4.mul(slopeC, x0));
      d0 = f32x4.add(d0, f32x4.mul(slopeD, x0));
      const x1 = v128.load(values, 16);
      a1 = f32x4.add(a1, f32x4.mul(slopeA, x1));
      b1 = f32x4.add(b1, f32x4.mul(slopeB, x1));
      c1 = f32x4.add(c1, f32x4.mul(slopeC, x1));
      d1 = f32x4.add(d1, f32x4.mul(slopeD, x1));
      slopes += dNext;
      values += xNext;
    }
    d -= slopeStep;
    x -= xStep;
  }
  storeLanes(out, a0, columns);
  storeLanes(out + 16, a1, columns - 4);
  storeLanes(outB, b0, columns);
  storeLanes(outB + 16, b1, columns - 4);
  storeLanes(outC, c0, columns);
  storeLanes(outC + 16, c1, columns - 4);
  storeLanes(outD, d0, columns);
  storeLanes(outD + 16, d1, columns - 4);
}

function addOneByNarrow(out: usize, d: usize, x: usize, columns: i32): void {
  const dNext = slopeRow;
  const xNext = xRow;
  let a0 = v128.load(out);
  let a1 = v128.load(out, 16);
  const bytes = blockBytes;
  for (let t = 0; t < blockSteps; t++) {
    let slopes = d;
    let values = x;
    const end = x + bytes;
    while (values < end) {
      const slopeA = v128.load32_splat(slopes);
      const x0 = v128.load(values);
      a0 = f32x4.add(a0, f32x4.mul(slopeA, x0));
      const x1 = v128.load(values, 16);
      a1 = f32x4.add(a1, f32x4.mul(slopeA, x1));
      slopes += dNext;
      values += xNext;
    }
    d -= slopeStep;
    x -= xStep;
  }
  storeLanes(out, a0, columns);
  storeLanes(out + 16, a1, columns - 4);
}
