import { createTanh, type Round, tanh } from '../math/activations.ts';
import type { CellKind } from '../model/model.ts';

export type Floats = Float32Array | Float64Array;

/** In what precision the trainer computes: float32 with one rounding an operation, or float64 for gradient checks. */
export interface Precision {
  readonly round: Round;
  readonly tanh: (x: number) => number;
  readonly allocate: (length: number) => Floats;
}

/** A matrix w [n, k] in the order in which a product reads it: made once, packed whenever its weights change. */
export interface Packed {
  readonly n: number;
  readonly k: number;
  readonly values: Floats;
}

/** Rows ordered (time, stream). Their gradients add with t descending, then r ascending. */
export interface TimeRows {
  readonly steps: number;
  readonly rows: number;
}

export const float32: Precision = {
  round: Math.fround,
  tanh,
  allocate: (length) => new Float32Array(length),
};

const exact: Round = (x) => x;

/** Float64 with the project's own tanh; pass Math.tanh for the tightest gradient check. */
export function float64(tanh64 = createTanh(exact)): Precision {
  return { round: exact, tanh: tanh64, allocate: (length) => new Float64Array(length) };
}

export interface AdamSettings {
  readonly learningRate: number;
  /** Decoupled (AdamW): the weights shrink by learningRate * weightDecay before the step; 0 for Adam. */
  readonly weightDecay: number;
  /** 1 - beta1^t and 1 - beta2^t. */
  readonly correction1: number;
  readonly correction2: number;
}

/** What is dropped: the units from firstUnit + t * unitsPerStep on of step t, each by its random number. */
export interface DropSettings extends TimeRows {
  readonly hidden: number;
  readonly rate: number;
  /** [row]: `counterOf` all but the unit */
  readonly counters: Int32Array;
  readonly firstUnit: number;
  readonly unitsPerStep: number;
}

/** The gates of one time step for `rows` streams; zx = W x + b and zu = U h are [rows, G*H], states [rows, H]. */
export interface GateForward {
  readonly rows: number;
  readonly hidden: number;
  readonly zx: Floats;
  readonly zu: Floats;
  readonly hPrevious: Floats;
  readonly cPrevious: Floats;
  /** Out: the activated gates [rows, G*H]. */
  readonly gates: Floats;
  /** Out. LSTM: tanh(c'); GRU: U h + b_n of the candidate. [rows, H] */
  readonly aside: Floats;
  readonly c: Floats;
  readonly h: Floats;
}

export interface GateBackward extends Omit<GateForward, 'zx' | 'zu' | 'c'> {
  /** In: dL/dh'. Out: the part of dL/dh that does not pass through U (GRU; 0 elsewhere). [rows, H] */
  readonly dh: Floats;
  /** LSTM. In: dL/dc' from later steps. Out: dL/dc. [rows, H] */
  readonly dc: Floats;
  /** Out: dL/d(W x + b) [rows, G*H]. */
  readonly dzx: Floats;
  /** Out: dL/d(U h) [rows, G*H]; the same array as dzx but for the GRU. */
  readonly dzu: Floats;
}

/** All time steps of a layer: z = zx + U h, then its gates. The arrays of the steps follow each other in memory, but
 * for `zu`, which they share. */
export interface StepsForward {
  readonly cell: Exclude<CellKind, 'none'>;
  readonly steps: readonly GateForward[];
  /** U; b_n of the GRU */
  readonly recurrent: Packed;
  readonly recurrentBias: Floats;
}

export interface StepsBackward {
  readonly cell: Exclude<CellKind, 'none'>;
  /** `dh` and `dc` are shared by all. */
  readonly steps: readonly GateBackward[];
  /** [t]: what comes from above, added to dh before step t. */
  readonly dOutput: readonly Floats[];
  readonly recurrent: Packed;
}

/** Hears dL/dh after step t, all of its paths summed. */
export type StepObserver = (t: number, dh: Floats) => void;

/** What the trainer is written over. Sums keep the stated order, so that every implementation gives the same bits. */
export interface TrainingKernel {
  readonly precision: Precision;
  /** For `biasRows`, and for what threads tell each other. */
  allocateIndices(length: number): Int32Array;
  allocateDoubles(length: number): Float64Array;
  createPacked(n: number, k: number): Packed;
  /** For `multiply`, and for `multiplyBack`. */
  pack(packed: Packed, w: Floats): void;
  packBack(packed: Packed, w: Floats): void;
  /** out[r, j] = sum_k x[r, k] w[j, k], k ascending. out [rows, n], x [rows, k]. */
  multiply(out: Floats, x: Floats, w: Packed, rows: number): void;
  /** out[r, j] = sum_k x[r, k] w[j, k] + bias[biasRows[r], j]: as many rows as `biasRows` names. */
  affine(out: Floats, x: Floats, w: Packed, bias: Floats, biasRows: Int32Array): void;
  /** out[r, k] = (onto ? out[r, k] : 0) + sum_j d[r, j] w[j, k], j ascending. out [rows, k], d [rows, n]. */
  multiplyBack(out: Floats, d: Floats, w: Packed, rows: number, onto: boolean): void;
  /** gradient[j, k] += d[r, j] x[r, k] over all rows, one after the other. d [rows, n], x [rows, k]. */
  accumulate(gradient: Floats, d: Floats, x: Floats, time: TimeRows, n: number, k: number): void;
  /** gradient[biasRows[r], j] += d[r, j] over all rows, from the columns from.. of d [rows, stride]. */
  accumulateBias(
    gradient: Floats,
    d: Floats,
    biasRows: Int32Array,
    time: TimeRows,
    n: number,
    columns?: { readonly from: number; readonly stride: number },
  ): void;
  /** out += x and out *= x, element by element. */
  add(out: Floats, x: Floats, length: number): void;
  scale(out: Floats, x: Floats, length: number): void;
  /** factors = 1 / (1 - rate), or 0 for what is dropped, and out = x * factors. [steps * rows, hidden] */
  drop(out: Floats, factors: Floats, x: Floats, settings: DropSettings): void;
  rnnForward(step: GateForward): void;
  rnnBackward(step: GateBackward): void;
  lstmForward(step: GateForward): void;
  lstmBackward(step: GateBackward): void;
  /** With b_n [H]. */
  gruForward(step: GateForward, recurrentBias: Floats): void;
  gruBackward(step: GateBackward): void;
  forwardSteps(layer: StepsForward): void;
  backwardSteps(layer: StepsBackward, observe?: StepObserver): void;
  adam(parameters: Floats, gradient: Floats, m: Floats, v: Floats, settings: AdamSettings): void;
}
