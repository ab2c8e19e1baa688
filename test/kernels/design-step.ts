import type { FloatTensor, Layer, Model, QuantizedTensor } from '../../src/model/model.ts';

// DESIGN section 3 once more, straight from its text, with nothing of src but the shape of a model. Slow on purpose.

const f = Math.fround;

/** Half to even. */
function rhe(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** The 13/6 rational, as published with Eigen. */
const p = [4.89352455891786e-3, 6.37261928875436e-4, 1.48572235717979e-5, 5.12229709037114e-8].concat([
  -8.60467152213735e-11, 2.00018790482477e-13, -2.76076847742355e-16,
]);
const q = [4.89352518554385e-3, 2.268434632439e-3, 1.18534705686654e-4, 1.19825839466702e-6];

function tanh(value: number): number {
  const x = Math.max(-f(7.905311107635498), Math.min(f(7.905311107635498), value));
  const horner = (c: readonly number[]) => c.map(f).reduceRight((sum, ci) => f(f(f(x * x) * sum) + ci));
  return f(f(x * horner(p)) / horner(q));
}

const sigma = (x: number) => f(0.5 + f(0.5 * tanh(f(0.5 * x))));

/** `m = max|h|; inv = 127/m, s_h = m/127` (both 0 when m <= 1e-30); `q = rhe(h*inv)` */
function quantize(x: readonly number[], limit: number): { q: number[]; s: number } {
  const m = Math.max(...x.map(Math.abs));
  if (m <= f(1e-30)) return { q: x.map(() => 0), s: 0 };
  const inv = f(limit / m);
  return { q: x.map((value) => rhe(f(value * inv))), s: f(m / limit) };
}

/** w = 32 P1 + P2 of row j */
function rowOf({ plane, lowPlane, shape }: QuantizedTensor, j: number): number[] {
  const from = j * shape[1];
  return Array.from({ length: shape[1] }, (_, k) =>
    lowPlane === undefined ? plane[from + k] : 32 * plane[from + k] + lowPlane[from + k],
  );
}

/** In float64: exact, because no sum reaches 2^53. */
const exactSum = (a: readonly number[], b: readonly number[]) => a.reduce((sum, ai, k) => sum + ai * b[k], 0);

const floatSum = (values: Float32Array, row: number, x: readonly number[]) =>
  x.reduce((sum, xk, k) => f(sum + f(values[row * x.length + k] * xk)), f(0));

interface LstmState {
  readonly h: readonly number[];
  readonly c: readonly number[];
}

/** z = (b + f32(accW)*(s_W*s_x)) + f32(accU)*(s_U*s_h); i, f, o = sigma(z), g = tanh(z); c = (i*g) + (f*c); h = o*tanh(c) */
function stepLayer(layer: Layer, x: readonly number[], { h, c }: LstmState, channel: number): LstmState {
  const W = layer.inputWeights as QuantizedTensor;
  const U = layer.recurrentWeights as QuantizedTensor;
  const qx = quantize(x, layer.inputLimit);
  const qh = quantize(h, layer.hiddenLimit);
  const rows = W.shape[0];
  const z = Array.from({ length: rows }, (_, j) => {
    const fromInput = f(f(exactSum(rowOf(W, j), qx.q)) * f(W.rowScales[j] * qx.s));
    const fromHidden = f(f(exactSum(rowOf(U, j), qh.q)) * f(U.rowScales[j] * qh.s));
    return f(f(layer.bias.values[channel * rows + j] + fromInput) + fromHidden);
  });
  const H = h.length;
  const cell = c.map((cj, j) => f(f(sigma(z[j]) * tanh(z[2 * H + j])) + f(sigma(z[H + j]) * cj)));
  return { c: cell, h: cell.map((cj, j) => f(sigma(z[3 * H + j]) * tanh(cj))) };
}

/** One frame through an int8 LSTM. `input` is f, then the highway's v; `state` is [layers, h then c].
 * @returns outputs [O] and the next state */
export function designStep(
  { layers, head, highway, output }: Model,
  state: Float32Array,
  input: readonly number[],
  channel: number,
): { readonly outputs: number[]; readonly state: number[] } {
  const H = state.length / layers.length / 2;
  const I = layers[0].inputWeights.shape[1];
  const next: LstmState[] = [];
  layers.forEach((layer, l) => {
    const before = [...state.subarray(2 * l * H, 2 * (l + 1) * H)];
    const x = l === 0 ? input.slice(0, I) : next[l - 1].h;
    next.push(stepLayer(layer, x, { h: before.slice(0, H), c: before.slice(H) }, l === 0 ? channel : 0));
  });
  const values = (tensor: FloatTensor | undefined) => (tensor as FloatTensor).values;
  const O = values(head?.bias).length;
  const outputs = Array.from({ length: O }, (_, o) => {
    const network = f(values(head?.bias)[o] + floatSum(values(head?.weights), o, next[next.length - 1].h));
    const y = f(network + floatSum(values(head?.skip), o, input.slice(0, I)));
    if (highway === undefined) return y;
    const D = highway.weights.shape[2];
    const view = highway.allFeatures ? 0 : Math.floor((o * output.targets.length) / O) * D;
    const row = (highway.bias.shape[0] > 1 ? channel * O : 0) + o;
    const sum = floatSum(highway.weights.values, row, input.slice(I + view, I + view + D));
    return f(y + f(highway.bias.values[row] + sum));
  });
  return { outputs, state: next.flatMap(({ h, c }) => [...h, ...c]) };
}
