import { fitRidge, type RidgeName, type RidgeVariant } from '../baselines/ridge.ts';
import type { Recipe } from '../config/recipe.ts';
import { DataError } from '../data/data-error.ts';
import { isTrainable, splitByTime } from '../data/split.ts';
import { QuantizeError } from '../quantize/quantize-model.ts';
import { TrainingError } from '../train/training-error.ts';
import type { Terminal } from './command.ts';
import { type FitTask, type FittedModel, fitModel } from './fit-model.ts';
import { loadForRecipe, type Prepared, prepareDataset, type RecipeData } from './prepare.ts';
import { scoreDraft } from './score-draft.ts';
import {
  type Change,
  distinctRidges,
  linearRecipe,
  networkChanges,
  otherColumns,
  withInputs,
} from './search-candidates.ts';
import { recordSearch, type SearchRecord, type Trial, tabulateTrials } from './search-report.ts';
import { completeModel, fitTaskOf, type TrainedModel } from './train-model.ts';
import { createTrainingMeter, type TrainingTotals } from './training-meter.ts';

export interface TrainingOutcome {
  readonly prepared: Prepared;
  readonly result: TrainedModel;
  readonly totals: TrainingTotals;
}

export interface SearchOutcome extends TrainingOutcome {
  readonly search: SearchRecord;
}

/** A recipe that was fitted and scored. */
interface Candidate {
  readonly trial: Trial;
  readonly validation: number;
  readonly recipe: Recipe;
  readonly task: FitTask;
  readonly fitted: FittedModel;
  readonly totals: TrainingTotals;
}

type TryRecipe = (label: string, recipe: Recipe, before?: Candidate, keepsNetworks?: boolean) => Candidate;

/** Tries the ridges, then networks, each change on the best one so far, until the next would pass the budget.
 * Validation chooses; the test part is not looked at. */
export async function searchRecipe(
  base: Recipe,
  budgetMs: number,
  terminal: Terminal,
): Promise<SearchOutcome> {
  const endMs = performance.now() + budgetMs;
  const trials: Trial[] = [];
  const { tryRecipe, ridgesOf } = createTrials(trials, terminal);
  const inputs = usableInputs(base, otherColumns(base));
  const ridge = bestOf([
    ...ridgesOf(base).map((name) => tryRecipe(`ridge ${name}`, linearRecipe(base, name))),
    ...tryWithInputs(base, inputs, tryRecipe, ridgesOf),
  ]);
  const tryFirst = () => tryRecipe('a network', base);
  const first = ridge ? orUntried('a network', terminal, tryFirst) : tryFirst();
  if (first === undefined) return completeFirst([ridge as Candidate], trials, terminal);
  let network = first;
  const { season } = network.task.prepared;
  for (const change of networkChanges(season, inputs, ridge)) {
    const recipe = change.apply(network.recipe);
    // what the ridge looks at may be there already
    if (JSON.stringify(recipe) === JSON.stringify(network.recipe)) continue;
    if (performance.now() + 1000 * change.cost * network.trial.seconds > endMs) {
      terminal.log(`the budget is spent: ${change.label} and what follows stay untried`);
      break;
    }
    const next = orUntried(change.label, terminal, () =>
      tryRecipe(change.label, recipe, network, change.keepsNetworks),
    );
    if (next && isWorth(change, next, network)) network = next;
  }
  const isLinear = ridge !== undefined && ridge.validation <= network.validation;
  const ranking = isLinear ? [ridge] : [network, ...(ridge ? [ridge] : [])];
  return completeFirst(ranking, trials, terminal);
}

/** Those of the columns that change in the training part, within what a file can hold. */
function usableInputs(base: Recipe, columns: readonly string[]): string[] {
  if (columns.length === 0) return [];
  const recipe = withInputs(base, columns);
  const { dataset } = loadForRecipe(recipe, recipe.data, () => {});
  const split = splitByTime(dataset, recipe.split, () => {});
  return columns.filter((column) => isTrainable(dataset, split, dataset.features.indexOf(column)));
}

/** A candidate that cannot be trained, beside others that can, is no reason to end without a model. */
export function orUntried<Result>(
  label: string,
  { warn }: Pick<Terminal, 'warn'>,
  attempt: () => Result,
): Result | undefined {
  try {
    return attempt();
  } catch (error) {
    if (!(error instanceof DataError || error instanceof TrainingError)) throw error;
    warn(`not taken: ${label}; ${error.message}`);
    return undefined;
  }
}

function isWorth({ margin, limit }: Change, next: Candidate, { validation }: Candidate): boolean {
  return next.validation < Math.min((1 - margin) * validation, limit ?? Number.POSITIVE_INFINITY);
}

/** Only the ridge over all columns sees more of them. */
function tryWithInputs(
  base: Recipe,
  inputs: readonly string[],
  tryRecipe: TryRecipe,
  ridgesOf: (recipe: Recipe) => readonly RidgeName[],
): Candidate[] {
  if (inputs.length === 0) return [];
  const recipe = withInputs(base, inputs);
  if (!ridgesOf(recipe).includes('all12')) return [];
  return [tryRecipe(`ridge all12 with ${inputs.join(', ')}`, linearRecipe(recipe, 'all12'))];
}

function bestOf(candidates: readonly Candidate[]): Candidate | undefined {
  const least = Math.min(...candidates.map(({ validation }) => validation));
  return candidates.find(({ validation }) => validation === least);
}

/** Fits and scores recipes; data and ridges are read and fitted once for each set of features. */
function createTrials(trials: Trial[], terminal: Terminal) {
  const known = new Map<string, { readonly data: RecipeData; ridge?: readonly RidgeVariant[] }>();

  function prepare(recipe: Recipe): Pick<FitTask, 'prepared' | 'ridge'> {
    const key = recipe.features.join('\n');
    const warn = known.size === 0 ? terminal.warn : () => {};
    const found = known.get(key) ?? { data: loadForRecipe(recipe, recipe.data, warn) };
    known.set(key, found);
    const prepared = prepareDataset(recipe, found.data, warn);
    found.ridge ??= fitRidge(prepared);
    return { prepared, ridge: found.ridge };
  }

  const tryRecipe: TryRecipe = (label, recipe, before, keepsNetworks = false) => {
    const startMs = performance.now();
    const { prepared, ridge } = prepare(recipe);
    terminal.log(`trying ${label}`);
    const meter = createTrainingMeter(terminal, 0, recipe.training.epochs);
    const task = fitTaskOf(prepared, ridge);
    const fitted = fitModel(task, {
      events: { onUpdate: meter.onUpdate },
      ...(keepsNetworks && before && { trained: before.fitted.networks }),
    });
    meter.stop();
    const validation = scoreDraft(fitted.draft, prepared.dataset, prepared.split);
    const kind = recipe.model.cell === 'none' ? 'ridge' : 'network';
    const whole = before ? `${before.trial.whole} ${label}` : label;
    const trial: Trial = { label, kind, whole, validation, seconds: (performance.now() - startMs) / 1000 };
    trials.push(trial);
    return { trial, validation, recipe, task, fitted, totals: meter.totals() };
  };

  return { tryRecipe, ridgesOf: (recipe: Recipe) => distinctRidges(prepare(recipe).ridge) };
}

/** The first of the ranking that can be exported. */
async function completeFirst(
  [first, ...others]: readonly Candidate[],
  trials: readonly Trial[],
  terminal: Terminal,
  refusals: readonly string[] = [],
): Promise<SearchOutcome> {
  const { task, fitted, trial, totals } = first;
  try {
    const result = await completeModel(task, fitted, { stage: terminal.log });
    const search = recordSearch(trials, trial, refusals);
    terminal.log(`\n${tabulateTrials(search)}\n${search.why}\n`);
    return { prepared: task.prepared, result, totals, search };
  } catch (error) {
    if (!(error instanceof QuantizeError) || others.length === 0) throw error;
    const refusal = `Not taken: ${trial.whole}; ${error.message}.`;
    terminal.warn(refusal);
    return completeFirst(others, trials, terminal, [...refusals, refusal]);
  }
}
