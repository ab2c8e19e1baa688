// The elementwise part of each cell, as in training-gates.ts: rows of units, four units at once.
import { half, one, sigmoidFrom, sigmoidSlope4, tanhSlope4, tanhs } from '../activations';
import { storeLanes } from '../lanes';

/** out = a + b */
function sums(out: usize, a: usize, b: usize, length: i32): void {
  for (let i = 0; i < length; i += 4) {
    const at = (<usize>i) << 2;
    storeLanes(out + at, f32x4.add(v128.load(a + at), v128.load(b + at)), length - i);
  }
}

/** out = (a + b) / 2: of a sigmoid's argument its tanh takes the half. */
function halfSums(out: usize, a: usize, b: usize, length: i32): void {
  for (let i = 0; i < length; i += 4) {
    const at = (<usize>i) << 2;
    storeLanes(out + at, f32x4.mul(half(), f32x4.add(v128.load(a + at), v128.load(b + at))), length - i);
  }
}

/** h' = tanh(zx + zu) */
export function rnnForward(length: i32, zx: usize, zu: usize, h: usize): void {
  sums(h, zx, zu, length);
  tanhs(h, h, length);
}

export function rnnBackward(length: i32, h: usize, dh: usize, dzx: usize): void {
  for (let i = 0; i < length; i += 4) {
    const at = (<usize>i) << 2;
    const slope = tanhSlope4(v128.load(h + at));
    storeLanes(dzx + at, f32x4.mul(v128.load(dh + at), slope), length - i);
    storeLanes(dh + at, f32x4.splat(0), length - i);
  }
}

/** i, f, o = sigma(z), g = tanh(z), z = zx + zu;  c' = i*g + f*c;  h' = o*tanh(c') */
export function lstmForward(
  rows: i32,
  hidden: i32,
  zx: usize,
  zu: usize,
  cPrevious: usize,
  gates: usize,
  aside: usize,
  c: usize,
  h: usize,
): void {
  const width = (<usize>hidden) << 2;
  for (let r = 0; r < rows; r++) {
    const row = <usize>r * 4 * width;
    halfSums(gates + row, zx + row, zu + row, 2 * hidden);
    sums(gates + row + 2 * width, zx + row + 2 * width, zu + row + 2 * width, hidden);
    halfSums(gates + row + 3 * width, zx + row + 3 * width, zu + row + 3 * width, hidden);
  }
  tanhs(gates, gates, 4 * rows * hidden);
  for (let r = 0; r < rows; r++) {
    const row = <usize>r * width;
    lstmState(hidden, cPrevious + row, gates + 4 * row, c + row);
  }
  tanhs(aside, c, rows * hidden);
  for (let r = 0; r < rows; r++) {
    const row = <usize>r * width;
    products(h + row, gates + 4 * row + 3 * width, aside + row, hidden);
  }
}

/** The sigmoids of a row from their tanh, and its c'. */
function lstmState(hidden: i32, cPrevious: usize, gates: usize, c: usize): void {
  const width = (<usize>hidden) << 2;
  for (let j = 0; j < hidden; j += 4) {
    const z = (<usize>j) << 2;
    const f = z + width;
    const g = f + width;
    const o = g + width;
    const i4 = sigmoidFrom(v128.load(gates + z));
    const f4 = sigmoidFrom(v128.load(gates + f));
    storeLanes(gates + z, i4, hidden - j);
    storeLanes(gates + f, f4, hidden - j);
    storeLanes(gates + o, sigmoidFrom(v128.load(gates + o)), hidden - j);
    const fresh = f32x4.mul(i4, v128.load(gates + g));
    storeLanes(c + z, f32x4.add(fresh, f32x4.mul(f4, v128.load(cPrevious + z))), hidden - j);
  }
}

/** out = a * b */
function products(out: usize, a: usize, b: usize, length: i32): void {
  for (let i = 0; i < length; i += 4) {
    const at = (<usize>i) << 2;
    storeLanes(out + at, f32x4.mul(v128.load(a + at), v128.load(b + at)), length - i);
  }
}

/** do = dh*tanh(c');  dc += dh*o*(1 - tanh(c')^2);  di = dc*g, df = dc*c, dg = dc*i;  dc <- dc*f */
export function lstmBackward(
  rows: i32,
  hidden: i32,
  cPrevious: usize,
  gates: usize,
  aside: usize,
  dh: usize,
  dc: usize,
  dzx: usize,
): void {
  const width = (<usize>hidden) << 2;
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < hidden; j += 4) {
      const z = (<usize>j) << 2;
      const f = z + width;
      const g = f + width;
      const o = g + width;
      const i4 = v128.load(gates + z);
      const f4 = v128.load(gates + f);
      const g4 = v128.load(gates + g);
      const o4 = v128.load(gates + o);
      const aside4 = v128.load(aside + z);
      const dh4 = v128.load(dh + z);
      const dCell = f32x4.add(v128.load(dc + z), f32x4.mul(f32x4.mul(dh4, o4), tanhSlope4(aside4)));
      storeLanes(dzx + z, f32x4.mul(f32x4.mul(dCell, g4), sigmoidSlope4(i4)), hidden - j);
      const df = f32x4.mul(f32x4.mul(dCell, v128.load(cPrevious + z)), sigmoidSlope4(f4));
      storeLanes(dzx + f, df, hidden - j);
      storeLanes(dzx + g, f32x4.mul(f32x4.mul(dCell, i4), tanhSlope4(g4)), hidden - j);
      storeLanes(dzx + o, f32x4.mul(f32x4.mul(dh4, aside4), sigmoidSlope4(o4)), hidden - j);
      storeLanes(dc + z, f32x4.mul(dCell, f4), hidden - j);
      storeLanes(dh + z, f32x4.splat(0), hidden - j);
    }
    gates += 4 * width;
    dzx += 4 * width;
    cPrevious += width;
    aside += width;
    dh += width;
    dc += width;
  }
}

/** r, z = sigma(zx + zu);  n = tanh(zx + r*(zu + b_n));  h' = (1 - z)*n + z*h */
export function gruForward(
  rows: i32,
  hidden: i32,
  zx: usize,
  zu: usize,
  hPrevious: usize,
  gates: usize,
  aside: usize,
  h: usize,
  recurrentBias: usize,
): void {
  const width = (<usize>hidden) << 2;
  for (let row = 0; row < rows; row++) {
    halfSums(gates, zx, zu, 2 * hidden);
    tanhs(gates, gates, 2 * hidden);
    gruCandidate(hidden, zx + 2 * width, zu + 2 * width, gates, aside, recurrentBias);
    tanhs(gates + 2 * width, gates + 2 * width, hidden);
    for (let j = 0; j < hidden; j += 4) {
      const r = (<usize>j) << 2;
      const z4 = v128.load(gates + r + width);
      const fresh = f32x4.mul(f32x4.sub(one(), z4), v128.load(gates + r + 2 * width));
      storeLanes(h + r, f32x4.add(fresh, f32x4.mul(z4, v128.load(hPrevious + r))), hidden - j);
    }
    zx += 3 * width;
    zu += 3 * width;
    gates += 3 * width;
    hPrevious += width;
    aside += width;
    h += width;
  }
}

/** The sigmoids of a row from their tanh, and the argument of its n. */
function gruCandidate(
  hidden: i32,
  zx: usize,
  zu: usize,
  gates: usize,
  aside: usize,
  recurrentBias: usize,
): void {
  const width = (<usize>hidden) << 2;
  for (let j = 0; j < hidden; j += 4) {
    const r = (<usize>j) << 2;
    const z = r + width;
    const r4 = sigmoidFrom(v128.load(gates + r));
    storeLanes(gates + r, r4, hidden - j);
    storeLanes(gates + z, sigmoidFrom(v128.load(gates + z)), hidden - j);
    const aside4 = f32x4.add(v128.load(zu + r), v128.load(recurrentBias + r));
    storeLanes(aside + r, aside4, hidden - j);
    storeLanes(gates + z + width, f32x4.add(v128.load(zx + r), f32x4.mul(r4, aside4)), hidden - j);
  }
}

/** dn = dh*(1 - z), dz = dh*(h - n), dr = dn'*(U h + b_n);  U h of the candidate gets dn'*r;  dh <- dh*z */
export function gruBackward(
  rows: i32,
  hidden: i32,
  hPrevious: usize,
  gates: usize,
  aside: usize,
  dh: usize,
  dzx: usize,
  dzu: usize,
): void {
  const width = (<usize>hidden) << 2;
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < hidden; j += 4) {
      const r = (<usize>j) << 2;
      const z = r + width;
      const n = z + width;
      const r4 = v128.load(gates + r);
      const z4 = v128.load(gates + z);
      const n4 = v128.load(gates + n);
      const dh4 = v128.load(dh + r);
      const dNew = f32x4.mul(f32x4.mul(dh4, f32x4.sub(one(), z4)), tanhSlope4(n4));
      const dReset = f32x4.mul(f32x4.mul(dNew, v128.load(aside + r)), sigmoidSlope4(r4));
      const kept = f32x4.sub(v128.load(hPrevious + r), n4);
      const dUpdate = f32x4.mul(f32x4.mul(dh4, kept), sigmoidSlope4(z4));
      storeLanes(dzx + r, dReset, hidden - j);
      storeLanes(dzx + z, dUpdate, hidden - j);
      storeLanes(dzx + n, dNew, hidden - j);
      storeLanes(dzu + r, dReset, hidden - j);
      storeLanes(dzu + z, dUpdate, hidden - j);
      storeLanes(dzu + n, f32x4.mul(dNew, r4), hidden - j);
      storeLanes(dh + r, f32x4.mul(dh4, z4), hidden - j);
    }
    gates += 3 * width;
    dzx += 3 * width;
    dzu += 3 * width;
    hPrevious += width;
    aside += width;
    dh += width;
  }
}
