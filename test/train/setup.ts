import type { Dataset, Split } from '../../src/data/dataset.ts';
import { fitFeatureScalers, fitScalers } from '../../src/data/scalers.ts';
import { splitByTime } from '../../src/data/split.ts';
import { measureSwings } from '../../src/data/swings.ts';
import { type InputSpec, inputSize } from '../../src/signal/inputs.ts';
import type { Topology } from '../../src/train/parameters.ts';
import { createRuns, type Run } from '../../src/train/runs.ts';
import type { ModelDescription } from '../../src/train/to-model.ts';
import type { TrainerOptions } from '../../src/train/trainer.ts';

export interface SetupOptions {
  readonly cell?: Topology['cell'];
  readonly layers?: number;
  readonly hidden?: number;
  /** P */
  readonly phases?: number;
  /** N */
  readonly steps?: number;
  readonly targets?: readonly number[];
  /** Levels; with them the distances widen by a running swing. */
  readonly quantiles?: readonly number[];
  /** T for `output: last`. */
  readonly segment?: number;
  readonly lags?: readonly number[];
  readonly averages?: readonly number[];
  readonly mask?: boolean;
  /** Missing values follow a season of that many frames; by 0.5 and 0.25, whatever the data says. */
  readonly fillSeason?: number;
  /** Streams of the training are known, all others learn their scale. */
  readonly ownScales?: boolean;
  readonly gapLimit?: number;
  /** A bias and a scaler a stream. */
  readonly perStream?: boolean;
  readonly split?: readonly number[];
  readonly training?: Partial<TrainerOptions>;
}

/** All that the trainer wants to know of a dataset, as cli/prepare settles it from a recipe. */
export interface Setup {
  readonly dataset: Dataset;
  readonly split: Split;
  readonly topology: Topology;
  readonly runs: readonly Run[];
  readonly options: TrainerOptions;
  readonly description: ModelDescription;
}

const trainingDefaults = {
  loss: 'huber',
  optimizer: 'adamw',
  learningRate: 0.01,
  weightDecay: 0.01,
  schedule: 'cosine',
  clip: 1,
  epochs: 3,
  batch: 8,
  chunk: 7,
  resets: 0.5,
  dropout: 0.2,
  seed: 1,
} as const;

export function setUp(dataset: Dataset, options: SetupOptions = {}): Setup {
  const { cell = 'lstm', layers = 1, hidden = 4, phases = 1, steps = 2, targets = [0] } = options;
  const {
    segment = 0,
    gapLimit = 6,
    perStream = false,
    averages = [],
    mask = false,
    quantiles = [],
  } = options;
  const lags = options.lags ?? Array.from({ length: phases }, (_, i) => i + 1);
  const split = splitByTime(dataset, options.split ?? [0.6, 0.2, 0.2]);
  const features = dataset.features.length;
  const { fillSeason, ownScales = false } = options;
  const scalers = fitScalers(dataset, split, { perStream });
  const levels = measureSwings(dataset, split, scalers, lags[lags.length - 1]);
  const spec: InputSpec = {
    ...{ features, lags, averages, mask, season: fillSeason ?? phases },
    ...(fillSeason && { fill: Float32Array.from({ length: 2 * features }, (_, i) => (i % 2 ? 0.25 : 0.5)) }),
    ...(ownScales && { spread: new Float32Array(features).fill(0.1) }),
    ...(quantiles.length > 1 && { swing: { constant: 20, levels } }),
  };
  const runs = createRuns(dataset, { spec, gapLimit, targets, scalers });
  const endsAt = (border: number) =>
    runs.map(({ firstSlot, length }) => Math.max(0, Math.min(length, border - firstSlot)));
  const { training } = options;
  const epochs = training?.epochs ?? trainingDefaults.epochs;
  const channels = perStream ? dataset.series.map(({ stream }) => stream) : [];
  return {
    dataset,
    split,
    topology: {
      ...{ cell, layers, hidden },
      inputs: inputSize(spec),
      outputs: targets.length * steps * Math.max(1, quantiles.length),
      biases: perStream ? dataset.series.length : 1,
    },
    runs,
    options: {
      ...{ ...trainingDefaults, patience: epochs, phases, steps, segment, quantiles },
      targets: targets.length,
      trainEnds: endsAt(split.trainEnd),
      validationEnds: endsAt(split.validationEnd),
      ...training,
    },
    description: describe({ dataset, split, spec, gapLimit, channels, scalers }, options, {
      architecture: { cell, layers, hidden, phases, segment },
      output: { targets, steps, horizons: [steps], quantiles },
    }),
  };
}

type Settled = Pick<Setup, 'dataset' | 'split'> & {
  readonly spec: InputSpec;
  readonly gapLimit: number;
  readonly channels: readonly string[];
  readonly scalers: ReturnType<typeof fitScalers>;
};

function describe(
  { dataset, split, spec, gapLimit, channels, scalers }: Settled,
  { training }: SetupOptions,
  sizes: Pick<ModelDescription, 'architecture' | 'output'>,
): ModelDescription {
  const { periodMs, features } = dataset;
  const common = fitFeatureScalers(dataset, split);
  const tables = channels.length > 0 ? [common, ...scalers] : [common];
  return {
    ...{ name: 'test', version: '1.0.0', release: 1, createdMs: 0, fit: true },
    ...sizes,
    input: {
      ...{ ...spec, periodMs, gapLimit, channels, season: spec.season ?? 1, names: features },
      ...(spec.spread && { streams: new Set(dataset.series.map(({ stream }) => stream)) }),
      units: features.map(() => ''),
      scalers: Float32Array.from(
        tables.flatMap((table) => table.flatMap(({ mean, scale }) => [mean, scale])),
      ),
    },
    training: {
      ...{ recipe: '', seed: training?.seed ?? 1, dataSha256: '', metrics: '' },
      trainEndMs: split.trainEnd * periodMs,
      validationEndMs: split.validationEnd * periodMs,
      testEndMs: split.end * periodMs,
    },
  };
}
