// The part of an int8 LSTM step after the integer products, as lstmLayer in layers.ts. The rows lie in blocks of 16: the
// gates i, f, g, o of four units.
import { sigmoidFrom, tanhSixteens } from '../activations';
import { storeLanes } from '../lanes';

/** z = (b + accW*(s_W*s_x)) + accU*(s_U*s_h), of the sigmoid gates the half: pack.ts halves their bias and scales. */
export function preActivations(
  z: usize,
  blocks: i32,
  bias: usize,
  accW: usize,
  inputScales: usize,
  xScale: f32,
  accU: usize,
  recurrentScales: usize,
  hScale: f32,
): void {
  const s_x = f32x4.splat(xScale);
  const s_h = f32x4.splat(hScale);
  const end = (<usize>blocks) << 6;
  for (let row: usize = 0; row < end; row += 32) {
    let scaleW = f32x4.mul(v128.load(inputScales + row), s_x);
    let scaleU = f32x4.mul(v128.load(recurrentScales + row), s_h);
    let fromInput = f32x4.mul(f32x4.convert_i32x4_s(v128.load(accW + row)), scaleW);
    let fromHidden = f32x4.mul(f32x4.convert_i32x4_s(v128.load(accU + row)), scaleU);
    v128.store(z + row, f32x4.add(f32x4.add(v128.load(bias + row), fromInput), fromHidden));
    scaleW = f32x4.mul(v128.load(inputScales + row, 16), s_x);
    scaleU = f32x4.mul(v128.load(recurrentScales + row, 16), s_h);
    fromInput = f32x4.mul(f32x4.convert_i32x4_s(v128.load(accW + row, 16)), scaleW);
    fromHidden = f32x4.mul(f32x4.convert_i32x4_s(v128.load(accU + row, 16)), scaleU);
    v128.store(z + row, f32x4.add(f32x4.add(v128.load(bias + row, 16), fromInput), fromHidden), 16);
  }
}

/** i, f, o = sigma(z), g = tanh(z);  c' = i*g + f*c;  h' = o*tanh(c').
 * @param z [blocks, 16], overwritten
 * @param aside room for H, up to whole sixteens */
export function updateState(z: usize, aside: usize, hidden: i32, h: usize): void {
  const blocks = (hidden + 3) >> 2;
  const c = h + ((<usize>hidden) << 2);
  tanhSixteens(z, z, blocks << 4);
  let left = hidden;
  let gates = z;
  for (let at: usize = 0; left > 0; at += 16) {
    const i = sigmoidFrom(v128.load(gates));
    const f = sigmoidFrom(v128.load(gates, 16));
    const fresh = f32x4.mul(i, v128.load(gates, 32));
    const next = f32x4.add(fresh, f32x4.mul(f, v128.load(c + at)));
    v128.store(aside + at, next);
    storeLanes(c + at, next, left);
    gates += 64;
    left -= 4;
  }
  tanhSixteens(aside, aside, (hidden + 15) & ~15);
  left = hidden;
  gates = z;
  for (let at: usize = 0; left > 0; at += 16) {
    storeLanes(h + at, f32x4.mul(v128.load(aside + at), sigmoidFrom(v128.load(gates, 48))), left);
    gates += 64;
    left -= 4;
  }
}
