import { basename, extname } from 'node:path';
import { createRecipe, loadRecipe, type Recipe } from '../config/recipe.ts';
import type { TrainArguments } from './command.ts';
import { readInputFile } from './input-file.ts';
import { UsageError } from './usage-error.ts';

/** The recipe that the arguments of `train` ask for: a file's, or one made around a CSV. */
export function recipeOf(args: TrainArguments): Recipe {
  const { horizon, seed, cell, refit } = args;
  const written = isYaml(args.input) ? recipeOfFile(args) : recipeOfData(args);
  const recipe = cell === undefined ? written : withCell(written, cell);
  return {
    ...recipe,
    ...(horizon !== undefined && { horizons: [horizon] }),
    training: { ...recipe.training, ...(seed !== undefined && { seed }), ...(refit && { refit }) },
  };
}

export function readRecipe(path: string): Recipe {
  return loadRecipe(new TextDecoder().decode(readInputFile(path, 'recipe')), path);
}

function recipeOfFile(args: TrainArguments): Recipe {
  const { input, target, time, stream, seed, cell } = args;
  if (args.refit) throw new UsageError(`--refit is for a CSV; in ${input} say training: { refit: true }`);
  for (const [option, value] of Object.entries({ target, time, stream })) {
    if (value === undefined) continue;
    throw new UsageError(`--${option} is for a CSV; ${input} says it itself, with the key ${option}`);
  }
  const recipe = readRecipe(input);
  if (seed !== undefined && recipe.model.cell === 'none' && cell === undefined) {
    throw new UsageError(
      `--seed has nothing to do: ${input} has cell: none, a ridge, which draws no numbers`,
    );
  }
  return recipe;
}

function recipeOfData({ input, target, time, stream }: TrainArguments): Recipe {
  if (target === undefined) {
    throw new UsageError(`${input} is no recipe (.yaml), so name the column to forecast with --target`);
  }
  return createRecipe(
    {
      name: nameFor(input),
      data: input,
      target: [...target],
      ...(time !== undefined && { time }),
      ...(stream !== undefined && { stream }),
    },
    input,
  );
}

/** The same recipe for another cell, without what was said for the first one alone. */
function withCell(recipe: Recipe, cell: Recipe['model']['cell']): Recipe {
  const { wide, segment, highway, join, ...shape } = recipe.model;
  const takesSegment = cell === 'feedforward' || shape.output === 'last';
  const model = {
    ...shape,
    ...(takesSegment && segment !== undefined && { segment }),
    ...(recipe.model.cell !== 'none' && highway !== undefined && { highway }),
    join: recipe.model.cell === 'none' ? 'residual' : join,
    cell,
    wide: cell === 'lstm' ? wide : 'auto',
  } as const;
  if (cell !== 'feedforward') return { ...recipe, model };
  // it looks at a window, model.segment, and carries no state
  const { lags: _, ...rest } = recipe;
  return { ...rest, model, phases: 1 };
}

export function isYaml(path: string): boolean {
  return ['.yaml', '.yml'].includes(extname(path).toLowerCase());
}

/** The file's name, made fit for a model's. */
function nameFor(path: string): string {
  const words = basename(path, extname(path)).replace(/[^A-Za-z0-9._-]+/g, '-');
  return words.replace(/^[._-]+|-+$/g, '').slice(0, 64) || 'model';
}
