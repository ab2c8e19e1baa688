// The part of an int8 LSTM step after the integer products, as lstmLayer in layers.ts.
import { sigmoidFrom, tanhSixteens } from '../activations';
import { storeLanes } from '../lanes';

/** i, f, o = sigma(z), g = tanh(z);  c' = i*g + f*c;  h' = o*tanh(c').
 * @param z [blocks, 16]: i, f, g, o of four units each; of the sigmoid gates the half, since pack.ts halves their bias and
 * scales: of a sigmoid's argument its tanh takes the half. Overwritten
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
