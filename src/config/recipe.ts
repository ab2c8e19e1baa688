import { basename, dirname, resolve } from 'node:path';
import { Document, isSeq, visit } from 'yaml';
import { z } from 'zod';
import { formatDuration, parseDuration } from '../signal/duration.ts';
import { reportProblems, validate } from './problems.ts';
import { checkIgnored, checkRules } from './recipe-rules.ts';
import { maximumHorizon, type modelSchema, recipeSchema, type trainingSchema } from './recipe-schema.ts';
import { type Place, readYaml } from './yaml.ts';

/** A recipe as it is written: the shape of the YAML file. */
export type RecipeInput = z.input<typeof recipeSchema>;
type ModelRecipe = Readonly<z.output<typeof modelSchema>>;
type TrainingRecipe = Readonly<Required<Omit<z.output<typeof trainingSchema>, 'patience'>>> & {
  readonly patience?: number;
};

/** A recipe with every default filled in. What is absent follows from the data. */
export interface Recipe {
  readonly name: string;
  readonly version: string;
  readonly release: number;
  /** Resolved against the folder of the recipe. */
  readonly data: string;
  readonly time?: string;
  readonly stream?: string;
  readonly periodMs?: number;
  readonly season: 'auto' | number;
  readonly phases: 'auto' | number;
  readonly features: readonly string[];
  /** All of them are among the features. */
  readonly targets: readonly string[];
  readonly share: 'none' | 'channels';
  /** Rising steps ahead. */
  readonly horizons?: readonly number[];
  /** Rising levels with 0.5 among them; empty for a point alone. */
  readonly quantiles?: readonly number[];
  /** Whether the network is told which values are missing. */
  readonly mask: boolean;
  readonly gapLimit?: number;
  /** Fractions when their sum is at most 1, else counts of slots. */
  readonly split: readonly [train: number, validation: number, test: number];
  /** Rising frames back, for one phase. */
  readonly lags?: readonly number[];
  readonly model: ModelRecipe;
  readonly training: TrainingRecipe;
}

/** Reads a recipe file.
 * @throws ConfigError with a line `path:line: key: what was found, expected, fix` for everything that is wrong */
export function loadRecipe(text: string, path: string): Recipe {
  const { value, place } = readYaml(text, path);
  return resolveRecipe(value, dirname(path), place);
}

/** A recipe from a program or the command line; `origin` stands in messages where a file has its line. */
export function createRecipe(input: RecipeInput, origin: string): Recipe {
  return resolveRecipe(input, '.', () => ({ text: origin, line: 0 }));
}

function resolveRecipe(value: unknown, folder: string, place: Place): Recipe {
  const parsed = validate(recipeSchema, value, place);
  reportProblems([...checkRules(parsed), ...checkIgnored(value, parsed)], place);
  const { data, period, features, target, training, ...rest } = parsed;
  const targets = typeof target === 'string' ? [target] : target;
  const periodMs = period === undefined ? undefined : parseDuration(period);
  return {
    ...rest,
    data: resolve(folder, data),
    ...(periodMs !== undefined && { periodMs }),
    features: features ?? targets,
    targets,
    training: {
      ...training,
      weightDecay: training.weightDecay ?? (training.optimizer === 'adamw' ? 0.01 : 0),
    },
  };
}

/** The whole recipe as YAML, always in the same words: what a model file keeps. Reads back as the same recipe,
 * with the name of the data file in place of its path, since a path is no property of a model. */
export function canonicalRecipe(recipe: Recipe, data = basename(recipe.data)): string {
  const { name, version, release, time, stream, periodMs, season, phases, features, targets } = recipe;
  const { share, horizons, quantiles, mask, gapLimit, split, lags, model, training } = recipe;
  const { cell, highway, join, layers, hidden, output, segment, wide } = model;
  const { loss, optimizer, learningRate, weightDecay, epochs, batch, chunk, resets } = training;
  const { dropout, schedule, clip, patience, seed, seeds, refit } = training;
  const again = refit ? { refit } : undefined;
  const content = {
    ...{ name, version, release, data, time, stream },
    period: periodMs === undefined ? undefined : formatDuration(periodMs),
    ...{ season, phases, features, target: targets.length === 1 ? targets[0] : targets, share },
    ...{ horizons, quantiles: cell === 'none' ? undefined : quantiles },
    ...{ mask: mask || undefined, gapLimit, split, lags },
    model:
      cell === 'none'
        ? { cell, highway }
        : { cell, highway, join: join === 'mean' ? join : undefined, layers, hidden, output, segment, wide },
    training:
      cell === 'none'
        ? again
        : {
            ...{
              loss,
              optimizer,
              learningRate,
              weightDecay: optimizer === 'adamw' ? weightDecay : undefined,
            },
            ...{ epochs, batch, chunk, resets, dropout, schedule, clip, patience, seed },
            ...{ seeds: seeds === 1 ? undefined : seeds, ...again },
          },
  };
  const document = new Document(content, { aliasDuplicateObjects: false });
  visit(document, (_, node) => {
    if (isSeq(node)) node.flow = true;
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

const hourMs = 3_600_000;

/** 1 step, 1 h, 6 h and one season: those of them that are whole steps, and not too far. */
export function defaultHorizons(periodMs: number, season: number): number[] {
  const steps = [1, hourMs / periodMs, (6 * hourMs) / periodMs, season];
  const allowed = steps.filter((step) => Number.isInteger(step) && step >= 1 && step <= maximumHorizon);
  return [...new Set(allowed)].sort((a, b) => a - b);
}

/** A JSON Schema for editors. */
export function recipeJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(recipeSchema, { io: 'input' }), title: 'cellstream recipe' };
}
