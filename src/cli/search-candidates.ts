import type { RidgeName, RidgeVariant } from '../baselines/ridge.ts';
import type { Recipe } from '../config/recipe.ts';
import { findColumn, parseTable, readNumbers, type Table } from '../data/csv.ts';
import { DataError } from '../data/data-error.ts';
import { findTimeColumn } from '../data/rows.ts';
import { readInputFile } from './input-file.ts';

/** A change of the best network so far. */
export interface Change {
  readonly label: string;
  readonly apply: (recipe: Recipe) => Recipe;
  /** By how much of the error it has to be better: what costs the device more must be worth it. */
  readonly margin: number;
  /** The error that it has to stay below, too. */
  readonly limit?: number;
  /** The networks that it has are those before it, and perhaps more. */
  readonly keepsNetworks?: boolean;
  /** Its training time beside that of the network before it. */
  readonly cost: number;
}

/** Other columns that a model looks at, at most. */
const mostInputs = 12;
const leastPresent = 0.7;
/** The network finds the time of day in the phase; as numbers such columns overfit a year of data. */
const calendar = /^(year|month|day|hour|minute|second|week|weekday|quarter|dow|doy)$/i;
const costlyMargin = 0.005;
const seeds = 3;

export function linearRecipe(recipe: Recipe, highway: RidgeName): Recipe {
  return { ...recipe, model: { ...recipe.model, cell: 'none', highway } };
}

/** Those of the fitted ridges that are models of their own: own336each on one channel is own336. */
export function distinctRidges(ridge: readonly RidgeVariant[]): readonly RidgeName[] {
  return ridge.filter(({ name, maps }) => name !== 'own336each' || maps.length > 1).map(({ name }) => name);
}

/** In the order of their worth.
 * @param ridge the best one alone: a network beside it that adds nothing is no way to go on */
export function networkChanges(
  season: number,
  inputs: readonly string[],
  ridge: { readonly recipe: Recipe; readonly validation: number } | undefined,
): readonly Change[] {
  const highway = ridge?.recipe.model.highway;
  const cheap = { margin: 0, cost: 1 };
  return [
    ...(season > 1
      ? [
          {
            ...cheap,
            label: '+ one state in place of one a phase',
            apply: (recipe: Recipe): Recipe => ({ ...recipe, phases: 1 }),
          },
        ]
      : []),
    ...(ridge && highway
      ? [
          {
            ...cheap,
            limit: (1 - costlyMargin) * ridge.validation,
            label: `+ the frozen ridge ${highway}`,
            apply: (recipe: Recipe): Recipe => ({
              ...recipe,
              features: ridge.recipe.features,
              model: { ...recipe.model, highway },
            }),
          },
        ]
      : []),
    ...(inputs.length > 0
      ? [
          {
            ...cheap,
            label: `+ ${inputs.join(', ')}`,
            apply: (recipe: Recipe): Recipe => withInputs(recipe, inputs),
          },
        ]
      : []),
    {
      ...cheap,
      label: '+ absolute errors, more dropout',
      apply: (recipe) => ({ ...recipe, training: { ...recipe.training, loss: 'mae', dropout: 0.4 } }),
    },
    {
      label: '+ twice as many units',
      ...{ margin: costlyMargin, cost: 2 },
      apply: (recipe) => ({ ...recipe, model: { ...recipe.model, hidden: 2 * recipe.model.hidden } }),
    },
    ...(ridge && highway
      ? [
          {
            ...{ margin: costlyMargin, cost: 0, keepsNetworks: true },
            limit: (1 - costlyMargin) * ridge.validation,
            label: `+ the ridge ${highway}, the mean of both`,
            apply: (recipe: Recipe): Recipe => meanWithRidge(recipe, ridge.recipe, highway),
          },
        ]
      : []),
    {
      label: `+ the mean of ${seeds} seeds`,
      // the first of them is trained already
      ...{ margin: costlyMargin, cost: seeds - 1, keepsNetworks: true },
      apply: (recipe) => ({ ...recipe, training: { ...recipe.training, seeds } }),
    },
  ];
}

/** The same recipe where it has a highway already, or where the ridge looks at what the network does not. */
function meanWithRidge(recipe: Recipe, ridge: Recipe, highway: RidgeName): Recipe {
  const sees = ridge.features.every((feature) => recipe.features.includes(feature));
  if (recipe.model.highway !== undefined || !sees) return recipe;
  return { ...recipe, model: { ...recipe.model, highway, join: 'mean' } };
}

export function withInputs(recipe: Recipe, inputs: readonly string[]): Recipe {
  return { ...recipe, features: [...recipe.targets, ...inputs] };
}

/** Columns of numbers that are mostly there, vary and are no calendar. */
export function otherColumns({ data, time, stream, targets }: Recipe): string[] {
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
