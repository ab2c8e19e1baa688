import type { Recipe } from '../config/recipe.ts';
import { findColumn, parseTable, readNumbers, type Table } from '../data/csv.ts';
import { DataError } from '../data/data-error.ts';
import { findTimeColumn } from '../data/rows.ts';
import type { Terminal } from './command.ts';
import { readInputFile } from './input-file.ts';
import { type Prepared, prepareTraining } from './prepare.ts';
import { formatTable } from './table.ts';
import { type TrainedModel, trainModel } from './train-model.ts';
import { createTrainingMeter, type TrainingTotals } from './training-meter.ts';

/** A recipe that was tried. */
export interface Trial {
  /** What is different in it: `all columns as inputs`. */
  readonly label: string;
  /** Mean squared error over the longest horizon on validation, of the model as it is served. */
  readonly validation: number;
  readonly seconds: number;
}

export interface TrainingOutcome {
  readonly prepared: Prepared;
  readonly result: TrainedModel;
  readonly totals: TrainingTotals;
}

export interface SearchOutcome extends TrainingOutcome {
  readonly trials: readonly Trial[];
}

type Change = (recipe: Recipe) => Recipe;

/** Other columns that a model looks at, at most. */
const mostInputs = 12;
const leastPresent = 0.7;
/** The network finds the time of day in the phase; as numbers such columns overfit a year of data. */
const calendar = /^(year|month|day|hour|minute|second|week|weekday|quarter|dow|doy)$/i;

/** Tries a few recipes on the same data, each change on the best so far, until the next would pass the budget.
 * Validation chooses; the test part is not looked at. */
export async function searchRecipe(
  base: Recipe,
  budgetMs: number,
  terminal: Terminal,
): Promise<SearchOutcome> {
  const startMs = performance.now();
  const trials: Trial[] = [];
  const first = await tryRecipe(base, 'the target alone', trials, terminal);
  let best = first;
  for (const [label, change] of changesFor(base)) {
    const spentMs = performance.now() - startMs;
    const likelyMs = 1000 * Math.max(...trials.map(({ seconds }) => seconds));
    if (spentMs + likelyMs > budgetMs) {
      terminal.log(`the budget is spent: ${label} and what follows stay untried`);
      break;
    }
    const next = await tryRecipe(change(best.prepared.recipe), label, trials, terminal);
    if (validationOf(next) < validationOf(best)) best = next;
  }
  terminal.log(`\n${describeTrials(trials)}\n`);
  return { ...best, trials };
}

/** In the order of their worth. */
function changesFor(base: Recipe): [string, Change][] {
  const inputs = otherColumns(base);
  const changes: [string, Change][] = [
    [
      'absolute errors, more dropout',
      (recipe) => ({ ...recipe, training: { ...recipe.training, loss: 'mae', dropout: 0.4 } }),
    ],
    [
      'twice as many units',
      (recipe) => ({ ...recipe, model: { ...recipe.model, hidden: 2 * recipe.model.hidden } }),
    ],
  ];
  if (inputs.length === 0) return changes;
  const withInputs: Change = (recipe) => ({ ...recipe, features: [...recipe.targets, ...inputs] });
  return [[`with ${inputs.join(', ')}`, withInputs], ...changes];
}

async function tryRecipe(
  recipe: Recipe,
  label: string,
  trials: Trial[],
  terminal: Terminal,
): Promise<TrainingOutcome> {
  const startMs = performance.now();
  const prepared = prepareTraining(recipe, trials.length === 0 ? terminal.warn : () => {});
  terminal.log(`trying ${label}`);
  const meter = createTrainingMeter(terminal, 0, recipe.training.epochs);
  const result = await trainModel(prepared, { events: { onUpdate: meter.onUpdate }, stage: meter.stop });
  const outcome = { prepared, result, totals: meter.totals() };
  const seconds = (performance.now() - startMs) / 1000;
  trials.push({ label, validation: validationOf(outcome), seconds });
  return outcome;
}

function validationOf({ prepared, result }: TrainingOutcome): number {
  return result.validation.int8.horizons[prepared.steps]?.mse ?? Number.POSITIVE_INFINITY;
}

/** Columns of numbers that are mostly there, vary and are no calendar. */
function otherColumns({ data, time, stream, targets }: Recipe): string[] {
  const table = parseTable(readInputFile(data, 'recording'), data);
  const taken = [findTimeColumn(table, time), ...(stream === undefined ? [] : [findColumn(table, stream)])];
  return table.columns
    .filter((column, i) => !taken.includes(i) && !targets.includes(column) && !calendar.test(column))
    .filter((column) => isInput(table, column))
    .slice(0, mostInputs);
}

function isInput(table: Table, column: string): boolean {
  try {
    const present = readNumbers(table, column).values.filter((value) => !Number.isNaN(value));
    return (
      present.length >= leastPresent * table.rows.length && present.some((value) => value !== present[0])
    );
  } catch (error) {
    // words, or a name that stands there twice
    if (error instanceof DataError) return false;
    throw error;
  }
}

function describeTrials(trials: readonly Trial[]): string {
  const best = Math.min(...trials.map(({ validation }) => validation));
  return formatTable(
    ['tried', 'validation MSE', 'seconds', ''],
    trials.map(({ label, validation, seconds }) => [
      ...[label, validation, Math.round(seconds)],
      validation === best ? 'chosen' : '',
    ]),
    { digits: 4 },
  );
}
