// Vectors as integers by their own largest magnitude m, as quantizeVector in quantized.ts: q = rhe(x * limit/m).
import { loadLanes } from '../lanes';

const ALMOST_ZERO: f32 = 1e-30;
/** Adding 1.5 * 2^23 rounds half to even and leaves the integer in the low bits. */
const ROUNDING: f32 = 12582912;
const ROUNDING_BITS: i32 = 0x4b400000;

/** m of x [length]. Four maxima side by side: each waits for its last one. */
export function largestMagnitude(x: usize, length: i32): f32 {
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  let c = f32x4.splat(0);
  let d = f32x4.splat(0);
  let left = length;
  for (; left >= 16; left -= 16) {
    a = f32x4.pmax(a, f32x4.abs(v128.load(x)));
    b = f32x4.pmax(b, f32x4.abs(v128.load(x, 16)));
    c = f32x4.pmax(c, f32x4.abs(v128.load(x, 32)));
    d = f32x4.pmax(d, f32x4.abs(v128.load(x, 48)));
    x += 64;
  }
  for (; left > 0; left -= 4) {
    a = f32x4.pmax(a, f32x4.abs(loadLanes(x, left)));
    x += 16;
  }
  const four = f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d));
  const two = f32x4.pmax(four, v128.shuffle<f32>(four, four, 2, 3, 0, 1));
  return max(f32x4.extract_lane(two, 0), f32x4.extract_lane(two, 1));
}

/** limit/m: what a value is multiplied by; 0 for (almost) zeros, which makes every integer 0. */
export function inverseOf(m: f32, limit: f32): f32 {
  return m <= ALMOST_ZERO ? 0 : limit / m;
}

/** m/limit: what an integer stands for. */
export function scaleOf(m: f32, limit: f32): f32 {
  return m <= ALMOST_ZERO ? 0 : m / limit;
}

/** Eight int16 each 32 bytes of x; beyond its end zeros, up to a multiple of eight. */
export function quantizePairs(out: usize, x: usize, length: i32, inverse: f32): void {
  let left = length;
  for (; left >= 8; left -= 8) {
    const low = integers(v128.load(x), inverse);
    v128.store(out, i16x8.narrow_i32x4_s(low, integers(v128.load(x, 16), inverse)));
    out += 16;
    x += 32;
  }
  if (left > 0) {
    const low = integers(loadLanes(x, left), inverse);
    const high = integers(loadLanes(x + 16, left - 4), inverse);
    v128.store(out, i16x8.narrow_i32x4_s(low, high));
  }
}

/** Sixteen int8 for each four of x: the first two of them four times, then the other two; beyond its end zeros. */
export function quantizeQuads(out: usize, x: usize, length: i32, inverse: f32): void {
  for (let left = length; left > 0; left -= 4) {
    const four = integers(loadLanes(x, left), inverse);
    const words = i16x8.narrow_i32x4_s(four, four);
    const bytes = i8x16.narrow_i16x8_s(words, words);
    v128.store(out, v128.shuffle<i8>(bytes, bytes, 0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3));
    out += 16;
    x += 16;
  }
}

function integers(x: v128, inverse: f32): v128 {
  const rounded = f32x4.add(f32x4.mul(x, f32x4.splat(inverse)), f32x4.splat(ROUNDING));
  return i32x4.sub(rounded, i32x4.splat(ROUNDING_BITS));
}
