// The activations of math/activations.ts over spans of memory, with its roundings.
import { storeLanes } from './lanes';

// from a table in memory: a splat constant would be built anew at each use
const table: usize = memory.data<f32>(
  [
    7.905311107635498, 7.905311107635498, 7.905311107635498, 7.905311107635498, -7.905311107635498,
    -7.905311107635498, -7.905311107635498, -7.905311107635498, 4.89352455891786e-3, 4.89352455891786e-3,
    4.89352455891786e-3, 4.89352455891786e-3, 6.37261928875436e-4, 6.37261928875436e-4, 6.37261928875436e-4,
    6.37261928875436e-4, 1.48572235717979e-5, 1.48572235717979e-5, 1.48572235717979e-5, 1.48572235717979e-5,
    5.12229709037114e-8, 5.12229709037114e-8, 5.12229709037114e-8, 5.12229709037114e-8, -8.60467152213735e-11,
    -8.60467152213735e-11, -8.60467152213735e-11, -8.60467152213735e-11, 2.00018790482477e-13,
    2.00018790482477e-13, 2.00018790482477e-13, 2.00018790482477e-13, -2.76076847742355e-16,
    -2.76076847742355e-16, -2.76076847742355e-16, -2.76076847742355e-16, 4.89352518554385e-3,
    4.89352518554385e-3, 4.89352518554385e-3, 4.89352518554385e-3, 2.268434632439e-3, 2.268434632439e-3,
    2.268434632439e-3, 2.268434632439e-3, 1.18534705686654e-4, 1.18534705686654e-4, 1.18534705686654e-4,
    1.18534705686654e-4, 1.19825839466702e-6, 1.19825839466702e-6, 1.19825839466702e-6, 1.19825839466702e-6,
    0.5, 0.5, 0.5, 0.5, 1, 1, 1, 1,
  ],
  16,
);

export function half(): v128 {
  return v128.load(table, 208);
}

export function one(): v128 {
  return v128.load(table, 224);
}

/** out = tanh(x), whole sixteens: what four lanes wait for, the others hide, and all use a constant at once. */
export function tanhSixteens(out: usize, x: usize, length: i32): void {
  for (let left = length; left > 0; left -= 16) {
    const a = f32x4.pmax(f32x4.pmin(v128.load(x), v128.load(table)), v128.load(table, 16));
    const b = f32x4.pmax(f32x4.pmin(v128.load(x, 16), v128.load(table)), v128.load(table, 16));
    const c = f32x4.pmax(f32x4.pmin(v128.load(x, 32), v128.load(table)), v128.load(table, 16));
    const d = f32x4.pmax(f32x4.pmin(v128.load(x, 48), v128.load(table)), v128.load(table, 16));
    const a2 = f32x4.mul(a, a);
    const b2 = f32x4.mul(b, b);
    const c2 = f32x4.mul(c, c);
    const d2 = f32x4.mul(d, d);
    let factor = v128.load(table, 128);
    let constant = v128.load(table, 112);
    let pa = f32x4.add(f32x4.mul(a2, factor), constant);
    let pb = f32x4.add(f32x4.mul(b2, factor), constant);
    let pc = f32x4.add(f32x4.mul(c2, factor), constant);
    let pd = f32x4.add(f32x4.mul(d2, factor), constant);
    factor = v128.load(table, 192);
    constant = v128.load(table, 176);
    let qa = f32x4.add(f32x4.mul(a2, factor), constant);
    let qb = f32x4.add(f32x4.mul(b2, factor), constant);
    let qc = f32x4.add(f32x4.mul(c2, factor), constant);
    let qd = f32x4.add(f32x4.mul(d2, factor), constant);
    constant = v128.load(table, 96);
    pa = f32x4.add(f32x4.mul(a2, pa), constant);
    pb = f32x4.add(f32x4.mul(b2, pb), constant);
    pc = f32x4.add(f32x4.mul(c2, pc), constant);
    pd = f32x4.add(f32x4.mul(d2, pd), constant);
    constant = v128.load(table, 160);
    qa = f32x4.add(f32x4.mul(a2, qa), constant);
    qb = f32x4.add(f32x4.mul(b2, qb), constant);
    qc = f32x4.add(f32x4.mul(c2, qc), constant);
    qd = f32x4.add(f32x4.mul(d2, qd), constant);
    constant = v128.load(table, 80);
    pa = f32x4.add(f32x4.mul(a2, pa), constant);
    pb = f32x4.add(f32x4.mul(b2, pb), constant);
    pc = f32x4.add(f32x4.mul(c2, pc), constant);
    pd = f32x4.add(f32x4.mul(d2, pd), constant);
    constant = v128.load(table, 144);
    qa = f32x4.add(f32x4.mul(a2, qa), constant);
    qb = f32x4.add(f32x4.mul(b2, qb), constant);
    qc = f32x4.add(f32x4.mul(c2, qc), constant);
    qd = f32x4.add(f32x4.mul(d2, qd), constant);
    constant = v128.load(table, 64);
    pa = f32x4.add(f32x4.mul(a2, pa), constant);
    pb = f32x4.add(f32x4.mul(b2, pb), constant);
    pc = f32x4.add(f32x4.mul(c2, pc), constant);
    pd = f32x4.add(f32x4.mul(d2, pd), constant);
    constant = v128.load(table, 48);
    pa = f32x4.add(f32x4.mul(a2, pa), constant);
    pb = f32x4.add(f32x4.mul(b2, pb), constant);
    pc = f32x4.add(f32x4.mul(c2, pc), constant);
    pd = f32x4.add(f32x4.mul(d2, pd), constant);
    constant = v128.load(table, 32);
    pa = f32x4.add(f32x4.mul(a2, pa), constant);
    pb = f32x4.add(f32x4.mul(b2, pb), constant);
    pc = f32x4.add(f32x4.mul(c2, pc), constant);
    pd = f32x4.add(f32x4.mul(d2, pd), constant);
    pa = f32x4.div(f32x4.mul(a, pa), qa);
    pb = f32x4.div(f32x4.mul(b, pb), qb);
    pc = f32x4.div(f32x4.mul(c, pc), qc);
    pd = f32x4.div(f32x4.mul(d, pd), qd);
    v128.store(out, pa);
    v128.store(out, pb, 16);
    v128.store(out, pc, 32);
    v128.store(out, pd, 48);
    out += 64;
    x += 64;
  }
}

/** out = tanh(x), of any length. */
export function tanhs(out: usize, x: usize, length: i32): void {
  const whole = length & ~15;
  tanhSixteens(out, x, whole);
  for (let done = whole; done < length; done += 4) {
    const at = (<usize>done) << 2;
    storeLanes(out + at, tanhOfFour(v128.load(x + at)), length - done);
  }
}

function tanhOfFour(x: v128): v128 {
  const a = f32x4.pmax(f32x4.pmin(x, v128.load(table)), v128.load(table, 16));
  const a2 = f32x4.mul(a, a);
  let p = f32x4.add(f32x4.mul(a2, v128.load(table, 128)), v128.load(table, 112));
  p = f32x4.add(f32x4.mul(a2, p), v128.load(table, 96));
  p = f32x4.add(f32x4.mul(a2, p), v128.load(table, 80));
  p = f32x4.add(f32x4.mul(a2, p), v128.load(table, 64));
  p = f32x4.add(f32x4.mul(a2, p), v128.load(table, 48));
  p = f32x4.add(f32x4.mul(a2, p), v128.load(table, 32));
  let q = f32x4.add(f32x4.mul(a2, v128.load(table, 192)), v128.load(table, 176));
  q = f32x4.add(f32x4.mul(a2, q), v128.load(table, 160));
  q = f32x4.add(f32x4.mul(a2, q), v128.load(table, 144));
  return f32x4.div(f32x4.mul(a, p), q);
}

/** sigma(x) = 0.5 + 0.5 tanh(x / 2), from t = tanh(x / 2) */
export function sigmoidFrom(t: v128): v128 {
  return f32x4.add(half(), f32x4.mul(half(), t));
}

/** sigma' = s (1 - s) */
export function sigmoidSlope4(s: v128): v128 {
  return f32x4.mul(s, f32x4.sub(one(), s));
}

/** tanh' = 1 - t^2 */
export function tanhSlope4(t: v128): v128 {
  return f32x4.sub(one(), f32x4.mul(t, t));
}
