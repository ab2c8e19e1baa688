// The random numbers of math/random.ts, four units at once.
import { storeLanes } from '../lanes';

function mix(word: v128): v128 {
  let h = word;
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 16)), i32x4.splat(0x85ebca6b));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 13)), i32x4.splat(0xc2b2ae35));
  return v128.xor(h, i32x4.shr_u(h, 16));
}

/** A factor for each of `length` units from `unit` on: `kept`, or 0 where its number lies below `threshold` / 2^24;
 * out = x * factor. */
export function drop(
  out: usize,
  factors: usize,
  x: usize,
  length: i32,
  counter: i32,
  unit: i32,
  threshold: i32,
  kept: f32,
): void {
  const step = i32x4.splat(0x27d4eb2f);
  for (let j = 0; j < length; j += 4) {
    const at = (<usize>j) << 2;
    const units = i32x4.add(i32x4.splat(unit + 1 + j), i32x4(0, 1, 2, 3));
    const h = i32x4.shr_u(mix(i32x4.add(i32x4.splat(counter), i32x4.mul(units, step))), 8);
    const factor = v128.and(i32x4.ge_s(h, i32x4.splat(threshold)), f32x4.splat(kept));
    storeLanes(factors + at, factor, length - j);
    storeLanes(out + at, f32x4.mul(v128.load(x + at), factor), length - j);
  }
}
