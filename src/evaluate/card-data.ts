import type { Dataset, Split } from '../data/dataset.ts';
import type { Model } from '../model/model.ts';
import type { BaselineScores } from './baselines.ts';
import type { Score } from './score.ts';

/** Who forecasts: the model that is served, its float twin, and the baselines. */
export type Method = 'served' | 'float' | 'persistence' | 'seasonal' | 'ridge';

/** Truth and forecasts over a stretch of time, in target units, NaN where there is nothing. */
export interface Trace {
  readonly stream: string;
  /** Index of the model's targets. */
  readonly target: number;
  readonly timesMs: ArrayLike<number>;
  readonly truth: ArrayLike<number>;
  readonly forecasts: Partial<Record<Method, ArrayLike<number>>>;
  /** The ends of the served model's 80 % interval. */
  readonly low?: ArrayLike<number>;
  readonly high?: ArrayLike<number>;
}

interface TrainingCurve {
  /** Epochs rising; epoch 0 is the untrained network, whose loss is NaN. */
  readonly history: readonly { readonly epoch: number; readonly loss: number; readonly validation: number }[];
  readonly bestEpoch: number;
  /** The name of the training loss; validation is the mean squared error. */
  readonly loss: string;
}

/** What the integers cost; absent for a model that is served in float32. */
interface QuantizationCost {
  /** (int8 MSE - float MSE) / float MSE on validation. */
  readonly cost: number;
  /** [layer]: 12 bits for U and h. */
  readonly wideLayers: readonly boolean[];
  readonly rounding: 'nearest' | 'data' | 'trained';
  readonly drift: {
    /** Steps since the state was zero, at the end of each block. */
    readonly steps: readonly number[];
    /** Relative root mean square error against float in each block. */
    readonly hidden: readonly number[];
    readonly output: readonly number[];
    readonly hiddenOverall: number;
    readonly outputOverall: number;
    /** The error of each layer's h, and that of the output when its integers alone are used. */
    readonly layers: readonly { readonly hidden: number; readonly alone: number }[];
  };
}

export interface CardData {
  readonly model: Pick<
    Model,
    'name' | 'version' | 'release' | 'fit' | 'architecture' | 'input' | 'output' | 'training'
  >;
  /** SHA-256 of the served model, hex. */
  readonly id: string;
  readonly parameters: { readonly cells: number; readonly head: number };
  /** Bytes of state a stream. */
  readonly stateBytes: number;
  /** A message. */
  readonly multiplyAdds: number;
  /** Bytes of NAME.pb and of NAME.float.pb. */
  readonly fileBytes: { readonly served: number; readonly float: number };
  /** Without its folder. */
  readonly dataFile: string;
  readonly dataset: Pick<Dataset, 'series' | 'features' | 'counts' | 'sha256'>;
  readonly split: Split;
  /** On the test part, all on the same pairs. */
  readonly scores: { readonly int8: Score; readonly float: Score; readonly baselines: BaselineScores };
  /** The served model on the validation part. */
  readonly validation: Pick<Score, 'horizons'>;
  /** The name of the ridge variant that was picked, by h. */
  readonly ridgePicks?: Readonly<Record<string, string>>;
  /** MAE of each step 1..N alone, on the test part. */
  readonly errorByStep: Partial<Record<Method, ArrayLike<number>>>;
  /** Some days of the test part at one horizon: each forecast stands at the time that it is for. */
  readonly window: Trace & { readonly horizon: number };
  /** One answer with all its steps; forecasts are NaN up to the frame that it answers. */
  readonly fan: Trace & { readonly madeMs: number };
  /** One a network that was trained; none for a ridge. */
  readonly training: readonly TrainingCurve[];
  /** Markdown that stands beside it: what else was tried, and how the networks were put together. */
  readonly notes?: readonly string[];
  /** The weights were fitted once more, on training and validation together. */
  readonly refit?: boolean;
  readonly quantization?: QuantizationCost;
}

export interface CardFile {
  readonly file: string;
  readonly text: string;
}
