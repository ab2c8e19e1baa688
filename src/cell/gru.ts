import { add, addOuterProduct, addTo, multiply, multiplyTransposed, split } from '../math/dense.ts';
import { type Nonlinearity, sigmoidFrom } from './nonlinearity.ts';

/** The gated recurrent unit of Cho et al., 2014, in PyTorch's form: the reset gate scales U h + b_n, where the paper
 * has U (r h). The 3H rows are the reset gate, the update gate and the candidate: r, z, n. */
export interface GruWeights {
  /** W [3H, I] */
  readonly inputWeights: ArrayLike<number>;
  /** U [3H, H] */
  readonly recurrentWeights: ArrayLike<number>;
  /** b [3H] */
  readonly bias: ArrayLike<number>;
  /** b_n [H], inside the reset gate's product */
  readonly recurrentBias: ArrayLike<number>;
}

export interface GruState {
  /** h [H] */
  readonly hiddenState: ArrayLike<number>;
}

/** [H] each, after their nonlinearity. */
export interface GruGates {
  readonly resetGate: ArrayLike<number>;
  readonly updateGate: ArrayLike<number>;
  readonly candidate: ArrayLike<number>;
}

/** One step on the tape: what its backward twin needs. */
export interface GruStep {
  readonly input: ArrayLike<number>;
  readonly before: GruState;
  readonly gates: GruGates;
  readonly after: GruState;
}

export interface GruGradients {
  readonly weights: { readonly [Name in keyof GruWeights]: Float64Array };
  readonly initialState: GruState;
  /** dL/dx_t [T][I] */
  readonly inputs: readonly Float64Array[];
}

/** The part of the candidate that the reset gate scales: U h + b_n with the candidate's rows of U.  [H] */
function recurrentCandidate({ recurrentBias }: GruWeights, recurrentProduct: Float64Array): Float64Array {
  const [, , candidateRows] = split(recurrentProduct, 3);
  return add(candidateRows, recurrentBias);
}

/** r, z = σ(W x + b + U h),  n = tanh(W x + b + r (U h + b_n)), each with its own rows of W, U and b
 * @param input x [I] */
export function gruGates(
  weights: GruWeights,
  { hiddenState: h }: GruState,
  input: ArrayLike<number>,
  { tanh = Math.tanh }: Nonlinearity = {},
): GruGates {
  const { inputWeights: W, recurrentWeights: U, bias: b } = weights;
  const sigmoid = sigmoidFrom(tanh);
  const Uh = multiply(U, h);
  const [rx, zx, nx] = split(add(multiply(W, input), b), 3);
  const [rh, zh] = split(Uh, 3);
  const nh = recurrentCandidate(weights, Uh);
  const r = add(rx, rh).map(sigmoid);
  const z = add(zx, zh).map(sigmoid);
  const n = nx.map((value, j) => tanh(value + r[j] * nh[j]));
  return { resetGate: r, updateGate: z, candidate: n };
}

/** h' = (1 - z) n + z h */
export function updateGruState(
  { updateGate: z, candidate: n }: GruGates,
  { hiddenState: h }: GruState,
): GruState {
  return { hiddenState: Float64Array.from(h, (_, j) => (1 - z[j]) * n[j] + z[j] * h[j]) };
}

/** r, z = σ(W x + b + U h),  n = tanh(W x + b + r (U h + b_n)),  h' = (1 - z) n + z h
 * @param input x [I] */
export function stepGru(
  weights: GruWeights,
  state: GruState,
  input: ArrayLike<number>,
  nonlinearity: Nonlinearity = {},
): GruState {
  return updateGruState(gruGates(weights, state, input, nonlinearity), state);
}

/** dz = dh' (h - n),  dn = dh' (1 - z),  dh += dh' z,  and through tanh' = 1 - tanh² and σ' = σ (1 - σ):
 * da_n = dn (1 - n²),  dr = da_n (U h + b_n),  d(U h + b_n) = r da_n
 * @param hiddenGradient dL/dh' [H]
 * @returns dL/d(W x + b) and dL/d(U h) [3H], which differ in the candidate's rows, and dL/dh past the gates [H] */
function backwardGruStep(
  weights: GruWeights,
  { before, gates }: GruStep,
  hiddenGradient: ArrayLike<number>,
): { readonly fromInput: Float64Array; readonly fromState: Float64Array; readonly kept: Float64Array } {
  const { resetGate: r, updateGate: z, candidate: n } = gates;
  const { hiddenState: h } = before;
  const H = h.length;
  const nh = recurrentCandidate(weights, multiply(weights.recurrentWeights, h));
  const fromInput = new Float64Array(3 * H);
  const [dr, dz, dn] = split(fromInput, 3);
  for (let j = 0; j < H; j++) {
    const dh = hiddenGradient[j];
    dn[j] = dh * (1 - z[j]) * (1 - n[j] ** 2);
    dz[j] = dh * (h[j] - n[j]) * z[j] * (1 - z[j]);
    dr[j] = dn[j] * nh[j] * r[j] * (1 - r[j]);
  }
  const fromState = Float64Array.from([...dr, ...dz, ...dn.map((da, j) => r[j] * da)]);
  return { fromInput, fromState, kept: Float64Array.from(hiddenGradient, (dh, j) => dh * z[j]) };
}

/** Steps through a sequence and keeps the tape.
 * @param inputs x_t [T][I] */
export function forwardGru(
  weights: GruWeights,
  initialState: GruState,
  inputs: readonly ArrayLike<number>[],
  nonlinearity: Nonlinearity = {},
): GruStep[] {
  let before = initialState;
  return inputs.map((input) => {
    const gates = gruGates(weights, before, input, nonlinearity);
    const step = { input, before, gates, after: updateGruState(gates, before) };
    before = step.after;
    return step;
  });
}

/** Backpropagation through time over the tape of `forwardGru`, a = W x + b and q = U h:
 * dW = Σ_t da_t x_tᵀ,  db = Σ_t da_t,  dU = Σ_t dq_t h_{t-1}ᵀ,  db_n = Σ_t dq_t (its candidate rows),
 * dx_t = Wᵀ da_t,  dh_{t-1} += Uᵀ dq_t + dh_t z
 * @param hiddenGradients dL/dh_t [T][H], of each h_t by itself, without what it does to later steps
 * @param finalGradient what flows into the last state from beyond the sequence */
export function backwardGru(
  weights: GruWeights,
  tape: readonly GruStep[],
  hiddenGradients: readonly ArrayLike<number>[],
  finalGradient: GruState = zeroGruState(weights.recurrentBias.length),
): GruGradients {
  const { inputWeights: W, recurrentWeights: U, bias: b, recurrentBias } = weights;
  const gradients = {
    inputWeights: new Float64Array(W.length),
    recurrentWeights: new Float64Array(U.length),
    bias: new Float64Array(b.length),
    recurrentBias: new Float64Array(recurrentBias.length),
  };
  const inputs: Float64Array[] = [];
  let later = finalGradient;
  for (let t = tape.length - 1; t >= 0; t--) {
    const dh = add(hiddenGradients[t], later.hiddenState);
    const { fromInput: da, fromState: dq, kept } = backwardGruStep(weights, tape[t], dh);
    addOuterProduct(gradients.inputWeights, da, tape[t].input);
    addTo(gradients.bias, da);
    addOuterProduct(gradients.recurrentWeights, dq, tape[t].before.hiddenState);
    addTo(gradients.recurrentBias, dq.subarray(2 * kept.length));
    inputs[t] = multiplyTransposed(W, da);
    later = { hiddenState: add(multiplyTransposed(U, dq), kept) };
  }
  return { weights: gradients, initialState: later, inputs };
}

export function zeroGruState(hidden: number): GruState {
  return { hiddenState: new Float64Array(hidden) };
}
