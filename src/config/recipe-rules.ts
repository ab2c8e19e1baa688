import type { z } from 'zod';
import { nearestName } from '../math/nearest.ts';
import type { Problem } from './problems.ts';
import type { recipeSchema } from './recipe-schema.ts';

type ParsedRecipe = z.output<typeof recipeSchema>;

/** What no single field can know: rules between fields. */
export function checkRules(recipe: ParsedRecipe): Problem[] {
  return [
    ...checkColumns(recipe),
    ...checkNumbers(recipe),
    ...checkModel(recipe),
    ...checkHighway(recipe),
    ...checkTraining(recipe.training),
    ...checkSeeds(recipe),
  ];
}

const linearKeys = { model: ['cell', 'highway'], training: ['refit'] } as const;

/** A key that would do nothing is a misunderstanding: the parsed recipe has them all, so this looks at what was written. */
export function checkIgnored(written: unknown, { model, quantiles = [], mask }: ParsedRecipe): Problem[] {
  if (model.cell !== 'none') return [];
  const message =
    'cell: none answers points, with intervals as wide as their errors on validation; take quantiles out';
  const heads = quantiles.length > 0 ? [{ path: ['quantiles'], message }] : [];
  const masks = mask ? [{ path: ['mask'], message: 'cell: none has no network to tell; take mask out' }] : [];
  const maps = written as Partial<Record<keyof typeof linearKeys, Readonly<Record<string, unknown>>>>;
  const keys = (['model', 'training'] as const).flatMap((map) =>
    Object.keys(maps[map] ?? {})
      .filter((key) => !linearKeys[map].some((known) => known === key))
      .map((key) => ({ path: [map, key], message: `cell: none has no network; take ${key} out` })),
  );
  return [...heads, ...masks, ...keys];
}

function checkColumns({ features, target, time, stream, share }: ParsedRecipe): Problem[] {
  const targets = typeof target === 'string' ? [target] : target;
  const problems: Problem[] = [...checkTwice(targets, 'target'), ...checkTwice(features ?? [], 'features')];
  targets.forEach((name, i) => {
    if (features === undefined || features.includes(name)) return;
    const path = typeof target === 'string' ? ['target'] : ['target', i];
    const nearest = nearestName(name, features);
    const fix = nearest === undefined ? 'add it there' : `did you mean "${nearest}"?`;
    problems.push({ path, message: `"${name}" is not among the features; ${fix}` });
  });
  for (const [i, name] of (features ?? targets).entries()) {
    const path = features === undefined ? ['target'] : ['features', i];
    if (name === time)
      problems.push({ path, message: `"${name}" is the time column; a model does not read it` });
    if (name === stream)
      problems.push({ path, message: `"${name}" is the stream column; a model does not read it` });
    if (share === 'channels' && !targets.includes(name)) {
      const message = `"${name}" is no target; with share: channels every channel is read alone, so take it out`;
      problems.push({ path, message });
    }
  }
  if (time !== undefined && time === stream) {
    problems.push({ path: ['stream'], message: `"${stream}" is the time column already` });
  }
  return problems;
}

function checkTwice(names: readonly string[], key: string): Problem[] {
  return names.flatMap((name, i) =>
    names.indexOf(name) === i ? [] : [{ path: [key, i], message: `"${name}" stands here twice` }],
  );
}

function checkNumbers({ horizons, quantiles, lags, split, phases }: ParsedRecipe): Problem[] {
  const problems: Problem[] = [];
  for (const [key, list] of Object.entries({ horizons, quantiles, lags })) {
    const fall = list?.findIndex((value, i) => i > 0 && value <= list[i - 1]) ?? -1;
    if (list === undefined || fall < 0) continue;
    const message = `found ${list[fall]} after ${list[fall - 1]}, expected rising numbers`;
    problems.push({ path: [key, fall], message });
  }
  if (
    quantiles !== undefined &&
    quantiles.length > 0 &&
    ![0.1, 0.5, 0.9].every((level) => quantiles.includes(level))
  ) {
    const message =
      `found ${quantiles.join(', ')}, expected 0.1, 0.5 and 0.9 among them: the point forecast and the interval ` +
      'that is published; [] for a point alone';
    problems.push({ path: ['quantiles'], message });
  }
  if (lags !== undefined && phases !== 1) {
    problems.push({ path: ['lags'], message: 'lags work with one state a stream only; add phases: 1' });
  }
  const sum = split[0] + split[1] + split[2];
  // room for the rounding of sums such as 0.6 + 0.3 + 0.1
  if (sum > 1 + 1e-9 && !split.every(Number.isInteger)) {
    const message = `found ${split.join(', ')}, expected fractions with a sum of at most 1, or whole numbers of frames`;
    problems.push({ path: ['split'], message });
  }
  return problems;
}

function checkModel({ model, phases, lags }: ParsedRecipe): Problem[] {
  const problems: Problem[] = [];
  const { cell, output, segment, wide, hidden } = model;
  const usesSegment = output === 'last' || cell === 'feedforward';
  if (segment !== undefined && !usesSegment) {
    const message = `cell: ${cell} with output: each carries its state for ever; take segment out, or set output: last`;
    problems.push({ path: ['model', 'segment'], message });
  }
  if (usesSegment && phases !== 'auto' && phases !== 1) {
    const reason = output === 'last' ? 'output: last' : 'cell: feedforward';
    const message = `found ${phases}, expected 1: ${reason} carries no state from frame to frame`;
    problems.push({ path: ['phases'], message });
  }
  if (cell === 'feedforward' && lags !== undefined) {
    problems.push({ path: ['lags'], message: 'the window of cell: feedforward is model.segment; use that' });
  }
  if (wide === true && cell !== 'lstm') {
    problems.push({
      path: ['model', 'wide'],
      message: `cell: ${cell} stays in float32; only an lstm can be wide`,
    });
  }
  if (wide === true && hidden > 512) {
    problems.push({
      path: ['model', 'wide'],
      message: `found hidden: ${hidden}, expected at most 512 with wide`,
    });
  }
  return problems;
}

function checkHighway({ model, features, target, share, phases, lags }: ParsedRecipe): Problem[] {
  const { cell, highway, join } = model;
  const problems: Problem[] = [];
  if (cell === 'none') {
    if (highway === undefined) {
      const message = 'cell: none is a ridge alone; say which: highway: own96, own336, own336each or all12';
      problems.push({ path: ['model', 'cell'], message });
    }
    if (phases !== 'auto' && phases !== 1) {
      problems.push({ path: ['phases'], message: `found ${phases}, expected 1: cell: none has no state` });
    }
    if (lags !== undefined) {
      problems.push({
        path: ['lags'],
        message: 'the window of cell: none is that of its highway; take lags out',
      });
    }
  }
  if (join === 'mean' && highway === undefined) {
    const message = 'join: mean is of a network and a highway; name the highway, or take join out';
    problems.push({ path: ['model', 'join'], message });
  }
  const count = share === 'channels' ? 1 : (features ?? [target].flat()).length;
  if (highway === 'all12' && count < 2) {
    const message =
      'all12 looks at 2 to 32 features, here the model sees one; name more, or take own96 or own336';
    problems.push({ path: ['model', 'highway'], message });
  }
  return problems;
}

/** The joined network has to fit into a model file (model/limits.ts). */
function checkSeeds({ model, training }: ParsedRecipe): Problem[] {
  const most = model.wide === true ? 512 : 1024;
  if (training.seeds === 1 || model.hidden * training.seeds <= most) return [];
  const message = `found ${training.seeds} networks of ${model.hidden} units, expected at most ${most} units together`;
  return [{ path: ['training', 'seeds'], message }];
}

function checkTraining({ optimizer, weightDecay }: ParsedRecipe['training']): Problem[] {
  const problems: Problem[] = [];
  if (weightDecay !== undefined && optimizer !== 'adamw') {
    const message = `optimizer: ${optimizer} decays no weights; set optimizer: adamw, or take weightDecay out`;
    problems.push({ path: ['training', 'weightDecay'], message });
  }
  return problems;
}
