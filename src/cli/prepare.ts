import type { DataColumns } from '../config/import-spec.ts';
import { defaultHorizons, type Recipe } from '../config/recipe.ts';
import { shareChannels } from '../data/channels.ts';
import type { Dataset, Series, Split } from '../data/dataset.ts';
import { loadDataset } from '../data/load.ts';
import { fitFeatureScalers, fitScalers, scalesDiffer } from '../data/scalers.ts';
import { checkTrainable, partRange, splitByTime } from '../data/split.ts';
import { measureSwings } from '../data/swings.ts';
import { type InputSpec, inputSize } from '../signal/inputs.ts';
import type { Scaler } from '../signal/scaler.ts';
import { findSeason } from '../signal/season.ts';
import { fitFills } from '../train/fit-inputs.ts';
import type { Topology } from '../train/parameters.ts';
import { createRuns, type Run } from '../train/runs.ts';
import { checkScorable } from '../train/scorable.ts';
import { UsageError } from './usage-error.ts';

/** A recipe met by its data: all that was `auto` or absent is settled. */
export interface Prepared {
  readonly recipe: Recipe & Required<Pick<Recipe, 'periodMs' | 'horizons' | 'gapLimit' | 'quantiles'>>;
  readonly dataset: Dataset;
  readonly split: Split;
  readonly season: number;
  readonly phases: number;
  /** N */
  readonly steps: number;
  /** T for `output: last`, else 0. */
  readonly segment: number;
  /** Indices of the dataset's features. */
  readonly targets: readonly number[];
  readonly spec: InputSpec;
  /** [series][feature] */
  readonly scalers: readonly (readonly Scaler[])[];
  /** For streams that the training never saw. */
  readonly commonScalers: readonly Scaler[];
  readonly channels: readonly string[];
  /** Of a network; a ridge alone has none. */
  readonly topology: Topology | undefined;
  readonly runs: readonly Run[];
  /** [run]: rows before validation, before test. */
  readonly trainEnds: readonly number[];
  readonly validationEnds: readonly number[];
}

/** The longest season that is looked for: a day of minutes. */
const LONGEST_SEASON = 1440;
/** More states than these a stream are too many to train each: two weeks of hours, a day of five minutes. */
const MOST_PHASES = 336;
const DAY_MS = 86_400_000;
/** Frames that a feedforward window holds unless the recipe says otherwise. */
const DEFAULT_WINDOW = 24;
const LEAST_GAP_LIMIT = 6;
/** Each stream with a scaler has a bias too, 512 bytes of the file at 32 units. */
const MOST_OWN_SCALES = 1000;
/** What a network with one state sees of the last frames. */
const nearLags = [1, 2, 3, 4, 6, 8, 12];
/** Frames: where nothing repeats, the level that a sensor comes back to. */
const averagesWithoutSeason = [24, 168];
const defaultQuantiles = [0.1, 0.5, 0.9];
/** Answers of a frame that come with quantiles of their own unless the recipe wants more. */
const MOST_SURE_ANSWERS = 96;
/** How long widths remember how restless a stream was: two weeks of a daily season. */
const SWING_SEASONS = 14;
const LEAST_SWING = 336;
const scoredParts = ['validation', 'test'] as const;

/** Loads the data of a recipe and settles what depends on it.
 * @throws DataError, UsageError when the data cannot be trained on */
export function prepareTraining(recipe: Recipe, warn: (line: string) => void): Prepared {
  return prepareDataset(recipe, loadForRecipe(recipe, recipe.data, warn), warn);
}

/** A recipe's data, and which of its features are the targets. */
export interface RecipeData {
  readonly dataset: Dataset;
  readonly targets: readonly number[];
}

/** The same for data that is there already. */
export function prepareDataset(
  recipe: Recipe,
  { dataset, targets }: RecipeData,
  warn: (line: string) => void,
): Prepared {
  const areChannels = recipe.share === 'channels';
  const split = splitByTime(dataset, recipe.split, warn);
  checkTrainable(dataset, split, { targets, perStream: areChannels });
  const perStream = areChannels || (dataset.series.length <= MOST_OWN_SCALES && scalesDiffer(dataset, split));
  const season = recipe.season === 'auto' ? findTrainingSeason(dataset, split, targets) : recipe.season;
  const phases = settlePhases(recipe, season);
  const { periodMs } = dataset;
  const horizons = recipe.horizons ?? defaultHorizons(periodMs, season);
  const steps = Math.max(...horizons);
  const quantiles = settleQuantiles(recipe, targets.length * steps);
  const gapLimit = recipe.gapLimit ?? Math.max(season, phases, LEAST_GAP_LIMIT);
  const inputs = settleInputs(recipe, dataset.features.length, { season, phases, steps });
  // the same for every recipe over these data, for they share the ridges
  const lag = season > 1 ? season : nearLags[nearLags.length - 1];
  const scalers = fitScalers(dataset, split, { perStream, lag });
  const longestLag = Math.max(1, ...inputs.lags);
  const spec: InputSpec = {
    ...inputs,
    ...fitFills(dataset, split, { season, scalers }),
    ...(quantiles.length > 1 && {
      swing: {
        constant: Math.max(LEAST_SWING, SWING_SEASONS * season, longestLag),
        levels: measureSwings(dataset, split, scalers, longestLag),
      },
    }),
  };
  const runs = createRuns(dataset, { spec, gapLimit, targets, scalers });
  const { cell, layers, hidden, output, highway } = recipe.model;
  const segment = output === 'last' ? (recipe.model.segment ?? recipe.training.chunk) : 0;
  const task = { every: Math.max(1, segment), steps, targets: targets.length };
  for (const part of scoredParts) checkScorable(runs, part, partRange(split, part), task);
  const isPerStream = highway === 'own336each' && dataset.series.length > 1;
  const endsAt = (border: number) =>
    runs.map(({ firstSlot, length }) => Math.max(0, Math.min(length, border - firstSlot)));
  return {
    recipe: { ...recipe, periodMs, season, phases, horizons, gapLimit, quantiles },
    dataset,
    split,
    season,
    phases,
    steps,
    segment,
    targets,
    spec,
    scalers,
    commonScalers: fitFeatureScalers(dataset, split, lag),
    channels: perStream || isPerStream ? dataset.series.map(({ stream }) => stream) : [],
    topology:
      cell === 'none'
        ? undefined
        : {
            cell,
            layers,
            hidden,
            inputs: inputSize(spec),
            outputs: targets.length * steps * Math.max(1, quantiles.length),
            biases: perStream ? dataset.series.length : 1,
          },
    runs,
    trainEnds: endsAt(split.trainEnd),
    validationEnds: endsAt(split.validationEnd),
  };
}

/** A CSV as the streams and features that the model of a recipe, or of a spec, sees. */
export function loadForRecipe(recipe: DataColumns, path: string, warn: (line: string) => void): RecipeData {
  const { features, time, stream, periodMs, share } = recipe;
  const loaded = loadDataset(path, { features, time, stream, periodMs, warn });
  const targets = recipe.targets.map((name) => features.indexOf(name));
  if (share === 'none') return { dataset: loaded, targets };
  return { dataset: shareChannels(loaded, targets), targets: [0] };
}

function findTrainingSeason(dataset: Dataset, split: Split, targets: readonly number[]): number {
  const width = dataset.features.length;
  const [target] = targets;
  const column = ({ values, length, firstSlot }: Series) =>
    Float32Array.from(
      { length: Math.max(0, Math.min(length, split.trainEnd - firstSlot)) },
      (_, row) => values[row * width + target],
    );
  const day = DAY_MS / dataset.periodMs;
  return findSeason(dataset.series.map(column), LONGEST_SEASON, [day, 7 * day]);
}

/** P: the season when it is left open, for a recurrent network that answers at each frame; 1 for the others. */
function settlePhases({ phases, model }: Recipe, season: number): number {
  const single = model.cell === 'none' || model.cell === 'feedforward' || model.output === 'last';
  if (phases === 'auto') return single || season > MOST_PHASES ? 1 : season;
  if (single && phases > 1) {
    throw new UsageError(
      `phases: ${phases} with ${model.cell} and output: ${model.output}, which have only one state`,
    );
  }
  return phases;
}

/** A ridge says nothing of how sure it is, and a head of very many steps would be most of the work on the device. */
function settleQuantiles({ model, quantiles }: Recipe, answers: number): readonly number[] {
  if (model.cell === 'none') return [];
  return quantiles ?? (answers <= MOST_SURE_ANSWERS ? defaultQuantiles : []);
}

interface Rhythm {
  readonly season: number;
  readonly phases: number;
  readonly steps: number;
}

function settleInputs(recipe: Recipe, features: number, rhythm: Rhythm): InputSpec {
  const { season } = rhythm;
  // the highway alone looks at its own window
  if (recipe.model.cell === 'none') return { features, lags: [], averages: [], mask: false, season };
  const averages = season > 1 ? [season, 7 * season] : averagesWithoutSeason;
  return { features, lags: settleLags(recipe, rhythm), averages, mask: recipe.mask, season };
}

function settleLags({ lags, model }: Recipe, { season, phases, steps }: Rhythm): readonly number[] {
  const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);
  if (model.cell === 'feedforward') return upTo(model.segment ?? DEFAULT_WINDOW);
  if (phases > 1) return upTo(phases);
  if (lags !== undefined) return lags;
  if (season === 1) return nearLags;
  // what came after this hour of the last season
  const ahead = [1, 0.75, 0.5, 0.25, 0].map((share) => season - Math.round(share * steps));
  const near = nearLags.filter((lag) => lag < season);
  return [...near, ...new Set(ahead.filter((lag) => lag > (near.at(-1) ?? 0)))];
}
