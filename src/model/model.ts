import type { HighwaySpec, InputSpec } from '../signal/inputs.ts';

export type CellKind = 'none' | 'feedforward' | 'rnn' | 'lstm' | 'gru';

/** Rows of W and U a hidden unit: i, f, g, o for the LSTM; r, z, n for the GRU. */
export const gateCount: Readonly<Record<CellKind, number>> = {
  none: 0,
  feedforward: 1,
  rnn: 1,
  lstm: 4,
  gru: 3,
};

export interface FloatTensor {
  readonly kind: 'float32';
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** integer = 32 * plane + lowPlane (plane alone when there is no low plane); weight = integer * rowScale. */
export interface QuantizedTensor {
  readonly kind: 'int8';
  readonly shape: readonly number[];
  readonly plane: Int8Array;
  readonly lowPlane?: Int8Array;
  readonly rowScales: Float32Array;
}

export type Tensor = FloatTensor | QuantizedTensor;

export interface Layer {
  /** W [G*H, I] */
  readonly inputWeights: Tensor;
  /** U [G*H, H]; absent in a feedforward layer */
  readonly recurrentWeights?: Tensor;
  /** b [1 + channels, G*H] in layer 0, [1, G*H] above */
  readonly bias: FloatTensor;
  /** The GRU's b_n [H], inside the reset gate's product. */
  readonly recurrentBias?: FloatTensor;
  /** L_x: the largest integer of a quantized input; 0 in a float layer. */
  readonly inputLimit: number;
  /** The largest integer of the quantized hidden state: 127, or 2047 when wide; 0 in a float layer. */
  readonly hiddenLimit: number;
}

/** y = (d + V h) + S f, with O = targets * steps * quantiles rows ordered (target, step, quantile). */
export interface Head {
  /** V [O, H] */
  readonly weights: FloatTensor;
  /** d [O] */
  readonly bias: FloatTensor;
  /** S [O, I] */
  readonly skip: FloatTensor;
}

/** A linear map past the network, y += r + R v (signal/inputs.ts writes v). */
export interface Highway {
  readonly allFeatures: boolean;
  /** Values looked at, the newest included. */
  readonly window: number;
  /** R [groups, O, D]; groups: 1, or 1 + channels */
  readonly weights: FloatTensor;
  /** r [groups, O] */
  readonly bias: FloatTensor;
}

export interface Architecture {
  readonly cell: CellKind;
  readonly layers: number;
  readonly hidden: number;
  /** P: states a stream, the frame of slot t advances state t mod P. */
  readonly phases: number;
  /** T for `output: last`: T frames from a zero state, one answer, reset. 0 for `output: each`. */
  readonly segment: number;
}

export interface ModelInput extends InputSpec {
  readonly periodMs: number;
  /** Frames. */
  readonly season: number;
  /** Missing slots that are stepped with filled values; a longer gap restarts the stream cold. */
  readonly gapLimit: number;
  /** Rows came faster than the period: the mean of a frame's readings is its value. */
  readonly combine?: 'mean';
  readonly names: readonly string[];
  readonly units: readonly string[];
  /** Streams with a bias and a scaler of their own; entry 0 of both is for all others. */
  readonly channels: readonly string[];
  /** Each feature of a sensor is a stream, the channel `<stream>/<feature>`. */
  readonly shared?: boolean;
  /** [1 + channels, F, 2]: mean, scale. */
  readonly scalers: Float32Array;
  /** Streams that the training saw move: with `spread`, any other one learns a scale of its own. Absent: the channels. */
  readonly streams?: ReadonlySet<string>;
}

/** Whether a stream has the scale of the training. */
export function isKnownStream({ spread, channels, streams }: ModelInput, stream: string): boolean {
  return spread === undefined || (streams ? streams.has(stream) : channels.includes(stream));
}

export interface ModelOutput {
  /** Indices of features. */
  readonly targets: readonly number[];
  /** N: answers for steps 1..N. */
  readonly steps: number;
  /** The steps that are reported and published. */
  readonly horizons: readonly number[];
  /** Levels, ascending; empty for one point a step. */
  readonly quantiles: readonly number[];
  /** y is the value itself, not an increment on the newest one. */
  readonly plain?: boolean;
}

/** Quantiles of truth - forecast on the validation part, in target units of a stream with the common scale. */
export interface Calibration {
  readonly levels: readonly number[];
  /** [levels, M * N] */
  readonly residuals: Float32Array;
}

interface TrainingRecord {
  readonly recipe: string;
  readonly seed: number;
  readonly dataSha256: string;
  /** First time stamps of validation, of test, and of what lies beyond. */
  readonly trainEndMs: number;
  readonly validationEndMs: number;
  readonly testEndMs: number;
  /** JSON. */
  readonly metrics: string;
}

/** Frames, and what the model made of them from a zero state: a device proves itself against these at load. */
export interface Golden {
  readonly stream: string;
  readonly timesMs: Float64Array;
  /** [frames, F], raw units, NaN where missing */
  readonly frames: Float32Array;
  /** [frames, O], raw units */
  readonly outputs: Float32Array;
  /** [P, layers, state]: h, then c */
  readonly state: Float32Array;
}

/** A model that was not measured and cannot prove itself yet: the export adds both. */
export const unproven: Pick<Model, 'calibration' | 'golden'> = {
  calibration: { levels: [], residuals: new Float32Array(0) },
  golden: {
    stream: '',
    timesMs: new Float64Array(0),
    frames: new Float32Array(0),
    outputs: new Float32Array(0),
    state: new Float32Array(0),
  },
};

/** What a model is: immutable, shared by all streams. */
export interface Model {
  readonly name: string;
  readonly version: string;
  readonly release: number;
  readonly createdMs: number;
  readonly fit: boolean;
  readonly architecture: Architecture;
  readonly input: ModelInput;
  readonly output: ModelOutput;
  readonly layers: readonly Layer[];
  readonly head?: Head;
  readonly highway?: Highway;
  readonly calibration: Calibration;
  readonly training: TrainingRecord;
  readonly golden: Golden;
}

/** Floats of one layer's state in one phase: h, and c for the LSTM. */
export function stateSize({ cell, hidden }: Pick<Architecture, 'cell' | 'hidden'>): number {
  if (cell === 'lstm') return 2 * hidden;
  return cell === 'rnn' || cell === 'gru' ? hidden : 0;
}

/** O: rows of the head, ordered (target, step, quantile). */
export function outputSize({ targets, steps, quantiles }: ModelOutput): number {
  return targets.length * steps * Math.max(1, quantiles.length);
}

/** Which of the quantiles of a step is its point forecast: the one nearest the median. */
export function pointIndex({ quantiles }: Pick<ModelOutput, 'quantiles'>): number {
  let best = 0;
  for (let q = 1; q < quantiles.length; q++) {
    if (Math.abs(quantiles[q] - 0.5) < Math.abs(quantiles[best] - 0.5)) best = q;
  }
  return best;
}

/** The linear highway's view of the past, for signal/inputs.ts. */
export function highwaySpec({ highway, output }: Model): HighwaySpec | undefined {
  if (highway === undefined) return undefined;
  return { allFeatures: highway.allFeatures, window: highway.window, targets: output.targets };
}
