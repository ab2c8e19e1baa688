import { add, addOuterProduct, addTo, multiply, multiplyTransposed } from '../math/dense.ts';
import type { Nonlinearity } from './nonlinearity.ts';

/** The plain recurrent cell of Elman, "Finding Structure in Time", 1990, with tanh. */
export interface RnnWeights {
  /** W [H, I] */
  readonly inputWeights: ArrayLike<number>;
  /** U [H, H] */
  readonly recurrentWeights: ArrayLike<number>;
  /** b [H] */
  readonly bias: ArrayLike<number>;
}

export interface RnnState {
  /** h [H] */
  readonly hiddenState: ArrayLike<number>;
}

/** One step on the tape: what its backward twin needs. */
export interface RnnStep {
  readonly input: ArrayLike<number>;
  readonly before: RnnState;
  readonly after: RnnState;
}

export interface RnnGradients {
  readonly weights: { readonly [Name in keyof RnnWeights]: Float64Array };
  readonly initialState: RnnState;
  /** dL/dx_t [T][I] */
  readonly inputs: readonly Float64Array[];
}

/** h' = tanh(W x + b + U h)
 * @param input x [I] */
export function stepRnn(
  weights: RnnWeights,
  { hiddenState: h }: RnnState,
  input: ArrayLike<number>,
  { tanh = Math.tanh }: Nonlinearity = {},
): RnnState {
  const { inputWeights: W, recurrentWeights: U, bias: b } = weights;
  const a = add(add(multiply(W, input), b), multiply(U, h));
  return { hiddenState: a.map((value) => tanh(value)) };
}

/** da = dh' (1 - h'²), as h' = tanh(a) with a = W x + b + U h
 * @param hiddenGradient dL/dh' [H]
 * @returns dL/da [H] */
function backwardRnnStep({ after }: RnnStep, hiddenGradient: ArrayLike<number>): Float64Array {
  const { hiddenState: h } = after;
  return Float64Array.from(hiddenGradient, (dh, j) => dh * (1 - h[j] ** 2));
}

/** Steps through a sequence and keeps the tape.
 * @param inputs x_t [T][I] */
export function forwardRnn(
  weights: RnnWeights,
  initialState: RnnState,
  inputs: readonly ArrayLike<number>[],
  nonlinearity: Nonlinearity = {},
): RnnStep[] {
  let before = initialState;
  return inputs.map((input) => {
    const step = { input, before, after: stepRnn(weights, before, input, nonlinearity) };
    before = step.after;
    return step;
  });
}

/** Backpropagation through time over the tape of `forwardRnn`:
 * dW = Σ_t da_t x_tᵀ,  dU = Σ_t da_t h_{t-1}ᵀ,  db = Σ_t da_t,  dx_t = Wᵀ da_t,  dh_{t-1} += Uᵀ da_t
 * @param hiddenGradients dL/dh_t [T][H], of each h_t by itself, without what it does to later steps
 * @param finalGradient what flows into the last state from beyond the sequence */
export function backwardRnn(
  weights: RnnWeights,
  tape: readonly RnnStep[],
  hiddenGradients: readonly ArrayLike<number>[],
  finalGradient: RnnState = zeroRnnState(weights.bias.length),
): RnnGradients {
  const { inputWeights: W, recurrentWeights: U, bias: b } = weights;
  const gradients = {
    inputWeights: new Float64Array(W.length),
    recurrentWeights: new Float64Array(U.length),
    bias: new Float64Array(b.length),
  };
  const inputs: Float64Array[] = [];
  let later = finalGradient;
  for (let t = tape.length - 1; t >= 0; t--) {
    const da = backwardRnnStep(tape[t], add(hiddenGradients[t], later.hiddenState));
    addOuterProduct(gradients.inputWeights, da, tape[t].input);
    addOuterProduct(gradients.recurrentWeights, da, tape[t].before.hiddenState);
    addTo(gradients.bias, da);
    inputs[t] = multiplyTransposed(W, da);
    later = { hiddenState: multiplyTransposed(U, da) };
  }
  return { weights: gradients, initialState: later, inputs };
}

export function zeroRnnState(hidden: number): RnnState {
  return { hiddenState: new Float64Array(hidden) };
}
