// out = M x in float32, each row's sum with k ascending, as multiplyRows in sums.ts. Lanes are neighboring rows. The matrix
// lies in panels of 16 rows, then of 4, the last one padded: [k][width].

export function multiplyRows(out: usize, panels: usize, x: usize, rows: i32, columns: i32): void {
  const end = x + ((<usize>columns) << 2);
  let left = rows;
  for (; left > 12; left -= 16) {
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    for (let at = x; at < end; at += 4) {
      const value = v128.load32_splat(at);
      a = f32x4.add(a, f32x4.mul(value, v128.load(panels)));
      b = f32x4.add(b, f32x4.mul(value, v128.load(panels, 16)));
      c = f32x4.add(c, f32x4.mul(value, v128.load(panels, 32)));
      d = f32x4.add(d, f32x4.mul(value, v128.load(panels, 48)));
      panels += 64;
    }
    v128.store(out, a);
    v128.store(out, b, 16);
    v128.store(out, c, 32);
    v128.store(out, d, 48);
    out += 64;
  }
  for (; left > 0; left -= 4) {
    let a = f32x4.splat(0);
    for (let at = x; at < end; at += 4) {
      a = f32x4.add(a, f32x4.mul(v128.load32_splat(at), v128.load(panels)));
      panels += 16;
    }
    v128.store(out, a);
    out += 16;
  }
}

/** The same for x and the vector `apart` bytes behind it, sums `outApart` bytes apart: what the one waits for, the other
 * hides. */
export function multiplyRowsByTwo(
  out: usize,
  outApart: usize,
  panels: usize,
  x: usize,
  apart: usize,
  rows: i32,
  columns: i32,
): void {
  const end = x + ((<usize>columns) << 2);
  let left = rows;
  for (; left > 12; left -= 16) {
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    let a1 = f32x4.splat(0);
    let b1 = f32x4.splat(0);
    let c1 = f32x4.splat(0);
    let d1 = f32x4.splat(0);
    for (let at = x; at < end; at += 4) {
      const value = v128.load32_splat(at);
      const other = v128.load32_splat(at + apart);
      let w = v128.load(panels);
      a = f32x4.add(a, f32x4.mul(value, w));
      a1 = f32x4.add(a1, f32x4.mul(other, w));
      w = v128.load(panels, 16);
      b = f32x4.add(b, f32x4.mul(value, w));
      b1 = f32x4.add(b1, f32x4.mul(other, w));
      w = v128.load(panels, 32);
      c = f32x4.add(c, f32x4.mul(value, w));
      c1 = f32x4.add(c1, f32x4.mul(other, w));
      w = v128.load(panels, 48);
      d = f32x4.add(d, f32x4.mul(value, w));
      d1 = f32x4.add(d1, f32x4.mul(other, w));
      panels += 64;
    }
    v128.store(out, a);
    v128.store(out, b, 16);
    v128.store(out, c, 32);
    v128.store(out, d, 48);
    v128.store(out + outApart, a1);
    v128.store(out + outApart, b1, 16);
    v128.store(out + outApart, c1, 32);
    v128.store(out + outApart, d1, 48);
    out += 64;
  }
  for (; left > 0; left -= 4) {
    let a = f32x4.splat(0);
    let a1 = f32x4.splat(0);
    for (let at = x; at < end; at += 4) {
      const w = v128.load(panels);
      a = f32x4.add(a, f32x4.mul(v128.load32_splat(at), w));
      a1 = f32x4.add(a1, f32x4.mul(v128.load32_splat(at + apart), w));
      panels += 16;
    }
    v128.store(out, a);
    v128.store(out + outApart, a1);
    out += 16;
  }
}
