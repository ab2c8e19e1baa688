import { add, addOuterProduct, addTo, multiply, multiplyTransposed, split } from '../math/dense.ts';
import { type Nonlinearity, sigmoidFrom } from './nonlinearity.ts';

/** The LSTM of Hochreiter & Schmidhuber, 1997, with the forget gate of Gers, Schmidhuber & Cummins, 2000.
 * The 4H rows are the input, forget, cell and output gate: i, f, g, o, here and everywhere. */
export interface LstmWeights {
  /** W [4H, I] */
  readonly inputWeights: ArrayLike<number>;
  /** U [4H, H] */
  readonly recurrentWeights: ArrayLike<number>;
  /** b [4H] */
  readonly bias: ArrayLike<number>;
}

export interface LstmState {
  /** h [H] */
  readonly hiddenState: ArrayLike<number>;
  /** c [H] */
  readonly cellState: ArrayLike<number>;
}

/** [H] each, after their nonlinearity. */
export interface LstmGates {
  readonly inputGate: ArrayLike<number>;
  readonly forgetGate: ArrayLike<number>;
  /** The candidate. */
  readonly cellGate: ArrayLike<number>;
  readonly outputGate: ArrayLike<number>;
}

/** One step on the tape: what its backward twin needs. */
export interface LstmStep {
  readonly input: ArrayLike<number>;
  readonly before: LstmState;
  readonly gates: LstmGates;
  readonly after: LstmState;
  /** tanh(c') [H] */
  readonly tanhCell: ArrayLike<number>;
}

export interface LstmGradients {
  readonly weights: { readonly [Name in keyof LstmWeights]: Float64Array };
  readonly initialState: LstmState;
  /** dL/dx_t [T][I] */
  readonly inputs: readonly Float64Array[];
}

/** i, f, o = σ(W x + b + U h),  g = tanh(W x + b + U h), each with its own rows of W, U and b
 * @param input x [I] */
export function lstmGates(
  weights: LstmWeights,
  { hiddenState: h }: LstmState,
  input: ArrayLike<number>,
  { tanh = Math.tanh }: Nonlinearity = {},
): LstmGates {
  const { inputWeights: W, recurrentWeights: U, bias: b } = weights;
  const [i, f, g, o] = split(add(add(multiply(W, input), b), multiply(U, h)), 4);
  const sigmoid = sigmoidFrom(tanh);
  return {
    inputGate: i.map(sigmoid),
    forgetGate: f.map(sigmoid),
    cellGate: g.map((value) => tanh(value)),
    outputGate: o.map(sigmoid),
  };
}

/** c' = i g + f c,  h' = o tanh(c') */
export function updateLstmState(
  { inputGate: i, forgetGate: f, cellGate: g, outputGate: o }: LstmGates,
  { cellState: c }: LstmState,
  { tanh = Math.tanh }: Nonlinearity = {},
): LstmState {
  const cellState = Float64Array.from(c, (_, j) => i[j] * g[j] + f[j] * c[j]);
  return { hiddenState: cellState.map((value, j) => o[j] * tanh(value)), cellState };
}

/** i, f, o = σ(W x + b + U h),  g = tanh(W x + b + U h),  c' = i g + f c,  h' = o tanh(c')
 * @param input x [I] */
export function stepLstm(
  weights: LstmWeights,
  state: LstmState,
  input: ArrayLike<number>,
  nonlinearity: Nonlinearity = {},
): LstmState {
  return updateLstmState(lstmGates(weights, state, input, nonlinearity), state, nonlinearity);
}

/** do = dh' tanh(c'),  dc' += dh' o (1 - tanh²(c')),  di = dc' g,  df = dc' c,  dg = dc' i,  dc = dc' f,
 * and through σ' = σ (1 - σ) and tanh' = 1 - tanh² to the pre-activations a = W x + b + U h
 * @param gradient dL/dh' and dL/dc' [H]
 * @returns dL/da [4H] and dL/dc [H] */
function backwardLstmStep(
  { before, gates, tanhCell }: LstmStep,
  { hiddenState: dh, cellState: dcLater }: LstmState,
): { readonly preActivations: Float64Array; readonly cellState: Float64Array } {
  const { inputGate: i, forgetGate: f, cellGate: g, outputGate: o } = gates;
  const { cellState: c } = before;
  const H = c.length;
  const preActivations = new Float64Array(4 * H);
  const cellState = new Float64Array(H);
  const [di, df, dg, doo] = split(preActivations, 4);
  for (let j = 0; j < H; j++) {
    const dc = dcLater[j] + dh[j] * o[j] * (1 - tanhCell[j] ** 2);
    di[j] = dc * g[j] * i[j] * (1 - i[j]);
    df[j] = dc * c[j] * f[j] * (1 - f[j]);
    dg[j] = dc * i[j] * (1 - g[j] ** 2);
    doo[j] = dh[j] * tanhCell[j] * o[j] * (1 - o[j]);
    cellState[j] = dc * f[j];
  }
  return { preActivations, cellState };
}

/** Steps through a sequence and keeps the tape.
 * @param inputs x_t [T][I] */
export function forwardLstm(
  weights: LstmWeights,
  initialState: LstmState,
  inputs: readonly ArrayLike<number>[],
  nonlinearity: Nonlinearity = {},
): LstmStep[] {
  const { tanh = Math.tanh } = nonlinearity;
  let before = initialState;
  return inputs.map((input) => {
    const gates = lstmGates(weights, before, input, nonlinearity);
    const after = updateLstmState(gates, before, nonlinearity);
    const step = {
      input,
      before,
      gates,
      after,
      tanhCell: Float64Array.from(after.cellState, (c) => tanh(c)),
    };
    before = after;
    return step;
  });
}

/** Backpropagation through time over the tape of `forwardLstm`:
 * dW = Σ_t da_t x_tᵀ,  dU = Σ_t da_t h_{t-1}ᵀ,  db = Σ_t da_t,  dx_t = Wᵀ da_t,  dh_{t-1} += Uᵀ da_t
 * @param hiddenGradients dL/dh_t [T][H], of each h_t by itself, without what it does to later steps
 * @param finalGradient what flows into the last state from beyond the sequence */
export function backwardLstm(
  weights: LstmWeights,
  tape: readonly LstmStep[],
  hiddenGradients: readonly ArrayLike<number>[],
  finalGradient: LstmState = zeroLstmState(weights.bias.length / 4),
): LstmGradients {
  const { inputWeights: W, recurrentWeights: U, bias: b } = weights;
  const gradients = {
    inputWeights: new Float64Array(W.length),
    recurrentWeights: new Float64Array(U.length),
    bias: new Float64Array(b.length),
  };
  const inputs: Float64Array[] = [];
  let later = finalGradient;
  for (let t = tape.length - 1; t >= 0; t--) {
    const hiddenState = add(hiddenGradients[t], later.hiddenState);
    const { preActivations: da, cellState } = backwardLstmStep(tape[t], { ...later, hiddenState });
    addOuterProduct(gradients.inputWeights, da, tape[t].input);
    addOuterProduct(gradients.recurrentWeights, da, tape[t].before.hiddenState);
    addTo(gradients.bias, da);
    inputs[t] = multiplyTransposed(W, da);
    later = { hiddenState: multiplyTransposed(U, da), cellState };
  }
  return { weights: gradients, initialState: later, inputs };
}

export function zeroLstmState(hidden: number): LstmState {
  return { hiddenState: new Float64Array(hidden), cellState: new Float64Array(hidden) };
}
