/** The first `count` lanes, the others zero; all of them from 4 on, none below 1. */
export function loadLanes(x: usize, count: i32): v128 {
  if (count >= 4) return v128.load(x);
  let value = f32x4.splat(0);
  if (count > 0) value = v128.load32_zero(x);
  if (count > 1) value = v128.load_lane<f32>(x, value, 1, 4);
  if (count > 2) value = v128.load_lane<f32>(x, value, 2, 8);
  return value;
}

/** The first `count` lanes; all of them from 4 on, none below 1. */
export function storeLanes(out: usize, value: v128, count: i32): void {
  if (count >= 4) {
    v128.store(out, value);
    return;
  }
  if (count > 0) v128.store_lane<f32>(out, value, 0);
  if (count > 1) v128.store_lane<f32>(out, value, 1, 4);
  if (count > 2) v128.store_lane<f32>(out, value, 2, 8);
}
