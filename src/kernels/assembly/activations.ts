// The tanh of math/activations.ts, four lanes and one, with its roundings.

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

function half(): v128 {
  return v128.load(table, 208);
}

export function one(): v128 {
  return v128.load(table, 224);
}

export function tanh4(value: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(value, v128.load(table)), v128.load(table, 16));
  const x2 = f32x4.mul(x, x);
  let p = f32x4.add(f32x4.mul(x2, v128.load(table, 128)), v128.load(table, 112));
  p = f32x4.add(f32x4.mul(x2, p), v128.load(table, 96));
  p = f32x4.add(f32x4.mul(x2, p), v128.load(table, 80));
  p = f32x4.add(f32x4.mul(x2, p), v128.load(table, 64));
  p = f32x4.add(f32x4.mul(x2, p), v128.load(table, 48));
  p = f32x4.add(f32x4.mul(x2, p), v128.load(table, 32));
  let q = f32x4.add(f32x4.mul(x2, v128.load(table, 192)), v128.load(table, 176));
  q = f32x4.add(f32x4.mul(x2, q), v128.load(table, 160));
  q = f32x4.add(f32x4.mul(x2, q), v128.load(table, 144));
  return f32x4.div(f32x4.mul(x, p), q);
}

/** 0.5 + 0.5 tanh(x / 2) */
export function sigmoid4(x: v128): v128 {
  return f32x4.add(half(), f32x4.mul(half(), tanh4(f32x4.mul(half(), x))));
}

/** sigma' = s (1 - s) */
export function sigmoidSlope4(s: v128): v128 {
  return f32x4.mul(s, f32x4.sub(one(), s));
}

/** tanh' = 1 - t^2 */
export function tanhSlope4(t: v128): v128 {
  return f32x4.sub(one(), f32x4.mul(t, t));
}
