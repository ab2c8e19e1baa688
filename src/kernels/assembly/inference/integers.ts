// out = base + f32(M q)*(rowScales*scale), with exact integer sums M q. The matrices are packed (pack.ts): blocks of 16 rows,
// the four gates of four units, a vector of sums for each gate. Two vectors at once read every weight once for both.

/** For int16: neighboring columns in pairs, multiplied and added in one instruction of x86. Two pairs, a quad, a turn.
 * @param base may be `out` */
export function addPairs(
  out: usize,
  base: usize,
  weights: usize,
  rowScales: usize,
  x: usize,
  scale: f32,
  blocks: i32,
  quads: i32,
): void {
  const s = f32x4.splat(scale);
  const end = x + ((<usize>quads) << 3);
  for (let block = 0; block < blocks; block++) {
    // the first sums begin with a product, which spares adding to zero
    let two = v128.load32_splat(x);
    let i = i32x4.dot_i16x8_s(v128.load(weights), two);
    let f = i32x4.dot_i16x8_s(v128.load(weights, 16), two);
    let g = i32x4.dot_i16x8_s(v128.load(weights, 32), two);
    let o = i32x4.dot_i16x8_s(v128.load(weights, 48), two);
    two = v128.load32_splat(x, 4);
    i = i32x4.add(i, i32x4.dot_i16x8_s(v128.load(weights, 64), two));
    f = i32x4.add(f, i32x4.dot_i16x8_s(v128.load(weights, 80), two));
    g = i32x4.add(g, i32x4.dot_i16x8_s(v128.load(weights, 96), two));
    o = i32x4.add(o, i32x4.dot_i16x8_s(v128.load(weights, 112), two));
    weights += 128;
    for (let at = x + 8; at < end; at += 8) {
      two = v128.load32_splat(at);
      i = i32x4.add(i, i32x4.dot_i16x8_s(v128.load(weights), two));
      f = i32x4.add(f, i32x4.dot_i16x8_s(v128.load(weights, 16), two));
      g = i32x4.add(g, i32x4.dot_i16x8_s(v128.load(weights, 32), two));
      o = i32x4.add(o, i32x4.dot_i16x8_s(v128.load(weights, 48), two));
      two = v128.load32_splat(at, 4);
      i = i32x4.add(i, i32x4.dot_i16x8_s(v128.load(weights, 64), two));
      f = i32x4.add(f, i32x4.dot_i16x8_s(v128.load(weights, 80), two));
      g = i32x4.add(g, i32x4.dot_i16x8_s(v128.load(weights, 96), two));
      o = i32x4.add(o, i32x4.dot_i16x8_s(v128.load(weights, 112), two));
      weights += 128;
    }
    v128.store(out, scaled(v128.load(base), i, v128.load(rowScales), s));
    v128.store(out, scaled(v128.load(base, 16), f, v128.load(rowScales, 16), s), 16);
    v128.store(out, scaled(v128.load(base, 32), g, v128.load(rowScales, 32), s), 32);
    v128.store(out, scaled(v128.load(base, 48), o, v128.load(rowScales, 48), s), 48);
    out += 64;
    base += 64;
    rowScales += 64;
  }
}

/** The same for x and the vector `apart` bytes behind it, whose base is base1 and whose result lies `apart` behind `out`. */
export function addPairsByTwo(
  out: usize,
  base: usize,
  base1: usize,
  weights: usize,
  rowScales: usize,
  x: usize,
  apart: usize,
  scale: f32,
  scale1: f32,
  blocks: i32,
  quads: i32,
): void {
  const s = f32x4.splat(scale);
  const s1 = f32x4.splat(scale1);
  const end = x + ((<usize>quads) << 3);
  for (let block = 0; block < blocks; block++) {
    let two = v128.load32_splat(x);
    let other = v128.load32_splat(x + apart);
    let w = v128.load(weights);
    let i = i32x4.dot_i16x8_s(w, two);
    let i1 = i32x4.dot_i16x8_s(w, other);
    w = v128.load(weights, 16);
    let f = i32x4.dot_i16x8_s(w, two);
    let f1 = i32x4.dot_i16x8_s(w, other);
    w = v128.load(weights, 32);
    let g = i32x4.dot_i16x8_s(w, two);
    let g1 = i32x4.dot_i16x8_s(w, other);
    w = v128.load(weights, 48);
    let o = i32x4.dot_i16x8_s(w, two);
    let o1 = i32x4.dot_i16x8_s(w, other);
    weights += 64;
    for (let at = x + 4; at < end; at += 4) {
      two = v128.load32_splat(at);
      other = v128.load32_splat(at + apart);
      w = v128.load(weights);
      i = i32x4.add(i, i32x4.dot_i16x8_s(w, two));
      i1 = i32x4.add(i1, i32x4.dot_i16x8_s(w, other));
      w = v128.load(weights, 16);
      f = i32x4.add(f, i32x4.dot_i16x8_s(w, two));
      f1 = i32x4.add(f1, i32x4.dot_i16x8_s(w, other));
      w = v128.load(weights, 32);
      g = i32x4.add(g, i32x4.dot_i16x8_s(w, two));
      g1 = i32x4.add(g1, i32x4.dot_i16x8_s(w, other));
      w = v128.load(weights, 48);
      o = i32x4.add(o, i32x4.dot_i16x8_s(w, two));
      o1 = i32x4.add(o1, i32x4.dot_i16x8_s(w, other));
      weights += 64;
    }
    let scales = v128.load(rowScales);
    v128.store(out, scaled(v128.load(base), i, scales, s));
    v128.store(out + apart, scaled(v128.load(base1), i1, scales, s1));
    scales = v128.load(rowScales, 16);
    v128.store(out, scaled(v128.load(base, 16), f, scales, s), 16);
    v128.store(out + apart, scaled(v128.load(base1, 16), f1, scales, s1), 16);
    scales = v128.load(rowScales, 32);
    v128.store(out, scaled(v128.load(base, 32), g, scales, s), 32);
    v128.store(out + apart, scaled(v128.load(base1, 32), g1, scales, s1), 32);
    scales = v128.load(rowScales, 48);
    v128.store(out, scaled(v128.load(base, 48), o, scales, s), 48);
    v128.store(out + apart, scaled(v128.load(base1, 48), o1, scales, s1), 48);
    out += 64;
    base += 64;
    base1 += 64;
    rowScales += 64;
  }
}

/** For int8 within 127: `quads` of neighboring columns, in three instructions of arm64. Two products of int8 fit an
 * int16. */
export function addQuads(
  out: usize,
  base: usize,
  weights: usize,
  rowScales: usize,
  x: usize,
  scale: f32,
  blocks: i32,
  quads: i32,
): void {
  const s = f32x4.splat(scale);
  const end = x + ((<usize>quads) << 4);
  for (let block = 0; block < blocks; block++) {
    let i = i32x4.splat(0);
    let f = i32x4.splat(0);
    let g = i32x4.splat(0);
    let o = i32x4.splat(0);
    for (let at = x; at < end; at += 16) {
      const four = v128.load(at);
      i = i32x4.add(i, sumsOfFour(v128.load(weights), four));
      f = i32x4.add(f, sumsOfFour(v128.load(weights, 16), four));
      g = i32x4.add(g, sumsOfFour(v128.load(weights, 32), four));
      o = i32x4.add(o, sumsOfFour(v128.load(weights, 48), four));
      weights += 64;
    }
    v128.store(out, scaled(v128.load(base), i, v128.load(rowScales), s));
    v128.store(out, scaled(v128.load(base, 16), f, v128.load(rowScales, 16), s), 16);
    v128.store(out, scaled(v128.load(base, 32), g, v128.load(rowScales, 32), s), 32);
    v128.store(out, scaled(v128.load(base, 48), o, v128.load(rowScales, 48), s), 48);
    out += 64;
    base += 64;
    rowScales += 64;
  }
}

/** The same for x and the vector `apart` bytes behind it, whose base is base1 and whose result lies `apart` behind `out`. */
export function addQuadsByTwo(
  out: usize,
  base: usize,
  base1: usize,
  weights: usize,
  rowScales: usize,
  x: usize,
  apart: usize,
  scale: f32,
  scale1: f32,
  blocks: i32,
  quads: i32,
): void {
  const s = f32x4.splat(scale);
  const s1 = f32x4.splat(scale1);
  const end = x + ((<usize>quads) << 4);
  for (let block = 0; block < blocks; block++) {
    let i = i32x4.splat(0);
    let f = i32x4.splat(0);
    let g = i32x4.splat(0);
    let o = i32x4.splat(0);
    let i1 = i32x4.splat(0);
    let f1 = i32x4.splat(0);
    let g1 = i32x4.splat(0);
    let o1 = i32x4.splat(0);
    for (let at = x; at < end; at += 16) {
      const four = v128.load(at);
      const other = v128.load(at + apart);
      let w = v128.load(weights);
      i = i32x4.add(i, sumsOfFour(w, four));
      i1 = i32x4.add(i1, sumsOfFour(w, other));
      w = v128.load(weights, 16);
      f = i32x4.add(f, sumsOfFour(w, four));
      f1 = i32x4.add(f1, sumsOfFour(w, other));
      w = v128.load(weights, 32);
      g = i32x4.add(g, sumsOfFour(w, four));
      g1 = i32x4.add(g1, sumsOfFour(w, other));
      w = v128.load(weights, 48);
      o = i32x4.add(o, sumsOfFour(w, four));
      o1 = i32x4.add(o1, sumsOfFour(w, other));
      weights += 64;
    }
    let scales = v128.load(rowScales);
    v128.store(out, scaled(v128.load(base), i, scales, s));
    v128.store(out + apart, scaled(v128.load(base1), i1, scales, s1));
    scales = v128.load(rowScales, 16);
    v128.store(out, scaled(v128.load(base, 16), f, scales, s), 16);
    v128.store(out + apart, scaled(v128.load(base1, 16), f1, scales, s1), 16);
    scales = v128.load(rowScales, 32);
    v128.store(out, scaled(v128.load(base, 32), g, scales, s), 32);
    v128.store(out + apart, scaled(v128.load(base1, 32), g1, scales, s1), 32);
    scales = v128.load(rowScales, 48);
    v128.store(out, scaled(v128.load(base, 48), o, scales, s), 48);
    v128.store(out + apart, scaled(v128.load(base1, 48), o1, scales, s1), 48);
    out += 64;
    base += 64;
    base1 += 64;
    rowScales += 64;
  }
}

/** base + f32(sum)*(rowScale*scale): the product of scales first. */
function scaled(base: v128, sum: v128, rowScales: v128, scale: v128): v128 {
  return f32x4.add(base, f32x4.mul(f32x4.convert_i32x4_s(sum), f32x4.mul(rowScales, scale)));
}

/** Of each of four rows the products of four columns, added. */
function sumsOfFour(weights: v128, x: v128): v128 {
  const low = i16x8.extmul_low_i8x16_s(weights, x);
  return i32x4.extadd_pairwise_i16x8_s(i16x8.add(low, i16x8.extmul_high_i8x16_s(weights, x)));
}
