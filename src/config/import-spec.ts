import { Document, isSeq, visit } from 'yaml';
import { z } from 'zod';
import { nearestName } from '../math/nearest.ts';
import { formatDuration, parseDuration } from '../signal/duration.ts';
import { importSchema } from './import-schema.ts';
import { type Problem, reportProblems, validate } from './problems.ts';
import { loadRecipe, type Recipe } from './recipe.ts';
import { readYaml } from './yaml.ts';

type Parsed = z.output<typeof importSchema>;

/** The spec of `cellstream import` with every default filled in. */
export interface ImportSpec
  extends Readonly<Omit<Parsed, 'target' | 'period' | 'lags' | 'segment' | 'weights'>> {
  /** All of them are among the features. */
  readonly targets: readonly string[];
  readonly periodMs: number;
  /** Of the differences; none for plain inputs. */
  readonly lags: readonly number[];
  /** T for an answer each T frames, 0 for an answer a frame. */
  readonly segment: number;
  readonly weights?: { readonly recurrent?: readonly string[]; readonly head?: string };
}

/** Reads a spec.
 * @throws ConfigError with a line `path:line: key: what was found, expected, fix` for everything that is wrong */
export function loadImportSpec(text: string, path: string): ImportSpec {
  const { value, place } = readYaml(text, path);
  const parsed = validate(importSchema, value, place);
  reportProblems(checkSpec(parsed), place);
  const { target, period, lags, segment, weights, inputs, ...rest } = parsed;
  const { recurrent, ...head } = weights ?? {};
  return {
    ...rest,
    inputs,
    targets: listOf(target),
    periodMs: parseDuration(period) as number,
    lags: inputs === 'differences' ? (lags ?? [1]) : [],
    segment: segment ?? 0,
    ...(weights && {
      weights: { ...head, ...(recurrent !== undefined && { recurrent: listOf(recurrent) }) },
    }),
  };
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}

function checkSpec(spec: Parsed): Problem[] {
  const problems: Problem[] = [];
  const names = spec.features.map(({ name }) => name);
  names.forEach((name, i) => {
    if (names.indexOf(name) !== i)
      problems.push({ path: ['features', i, 'name'], message: `"${name}" stands here twice` });
  });
  listOf(spec.target).forEach((name, i, targets) => {
    const path = typeof spec.target === 'string' ? ['target'] : ['target', i];
    if (targets.indexOf(name) !== i) problems.push({ path, message: `"${name}" stands here twice` });
    if (names.includes(name)) return;
    const nearest = nearestName(name, names);
    const fix = nearest === undefined ? 'add it there' : `did you mean "${nearest}"?`;
    problems.push({ path, message: `"${name}" is not among the features; ${fix}` });
  });
  for (const key of ['horizons', 'lags'] as const) {
    const list = spec[key];
    const fall = list?.findIndex((value, i) => i > 0 && value <= list[i - 1]) ?? -1;
    if (list === undefined || fall < 0) continue;
    const message = `found ${list[fall]} after ${list[fall - 1]}, expected rising numbers`;
    problems.push({ path: [key, fall], message });
  }
  if (spec.lags !== undefined && spec.inputs === 'plain')
    problems.push({ path: ['lags'], message: 'plain inputs have no lags; set inputs: differences' });
  return problems;
}

/** The whole spec as YAML, always in the same words: what an imported model keeps in the place of a recipe. */
export function canonicalImportSpec(spec: ImportSpec): string {
  const { name, version, release, features, targets, horizons, periodMs, season, gapLimit } = spec;
  const { inputs, lags, outputs, order, segment, wide, weights, time, stream } = spec;
  const content = {
    ...{ name, version, release, features },
    target: targets.length === 1 ? targets[0] : targets,
    ...{ horizons, period: formatDuration(periodMs), season, gapLimit, inputs },
    lags: lags.length > 0 ? lags : undefined,
    ...{ outputs, order, segment: segment > 0 ? segment : undefined, wide, weights, time, stream },
  };
  const document = new Document(content, { aliasDuplicateObjects: false });
  visit(document, (_, node) => {
    if (isSeq(node)) node.flow = true;
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** What of a recipe says how to read a CSV for a model. */
export type DataColumns = Pick<Recipe, 'features' | 'targets' | 'share'> &
  Partial<Pick<Recipe, 'time' | 'stream' | 'periodMs'>>;

/** The columns of an imported model's data. */
export function columnsOfSpec({ features, targets, periodMs, time, stream }: ImportSpec): DataColumns {
  return {
    ...{ features: features.map(({ name }) => name), targets, share: 'none', periodMs },
    ...(time !== undefined && { time }),
    ...(stream !== undefined && { stream }),
  };
}

/** The columns of the data that a model was made for, from the recipe or the spec that it keeps. */
export function loadDataColumns(text: string, path: string): DataColumns {
  const { value } = readYaml(text, path);
  // a recipe has no such key, a canonical spec always
  const isSpec = typeof value === 'object' && value !== null && 'inputs' in value;
  return isSpec ? columnsOfSpec(loadImportSpec(text, path)) : loadRecipe(text, path);
}

/** A JSON Schema for editors. */
export function importJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(importSchema, { io: 'input' }), title: 'cellstream import' };
}
