import { z } from 'zod';
import { nearestName } from '../math/nearest.ts';
import { ConfigError } from './config-error.ts';
import type { KeyPath, Place, Position } from './yaml.ts';

/** A rule broken by values that are right one by one. */
export interface Problem {
  readonly path: KeyPath;
  readonly message: string;
}

/** The value as the schema reads it, defaults filled in.
 * @throws ConfigError with a line for everything that is wrong */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  place: Place,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throwSorted(result.error.issues.flatMap((issue) => describe(issue, schema, value, place)));
}

export function reportProblems(problems: readonly Problem[], place: Place): void {
  if (problems.length === 0) return;
  throwSorted(problems.map(({ path, message }) => lineAt(place(path), path, message)));
}

interface Line {
  readonly line: number;
  readonly text: string;
}

/** In the order of the file, as a reader meets them. */
function throwSorted(lines: readonly Line[]): never {
  const texts = [...lines].sort((a, b) => a.line - b.line).map(({ text }) => text);
  // one value can fail two checks that say the same
  throw new ConfigError([...new Set(texts)]);
}

function lineAt({ line, text }: Position, path: KeyPath, message: string): Line {
  return { line, text: path.length === 0 ? `${text}: ${message}` : `${text}: ${nameOf(path)}: ${message}` };
}

function nameOf(path: KeyPath): string {
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : i === 0 ? key : `.${key}`)).join('');
}

function describe(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown, place: Place): Line[] {
  const path = issue.path as (string | number)[];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) =>
      lineAt(place(path, key), [...path, key], `unknown key${suggestKey(schema, path, key)}`),
    );
  }
  const found = valueAt(value, path);
  const message =
    found === undefined
      ? `missing, expected ${issue.message}`
      : `found ${show(found)}, expected ${issue.message}${suggestValue(issue, found)}`;
  return [lineAt(place(path), path, message)];
}

function suggestKey(schema: z.ZodType, path: KeyPath, key: string): string {
  const here = keysOf(schemaAt(schema, path));
  // the beginning of a key is a likely one, however long the rest
  const nearest = nearestName(key, here) ?? here.find((name) => key.length > 2 && name.startsWith(key));
  if (nearest !== undefined) return `; did you mean "${nearest}"?`;
  // a key of another section at the wrong depth is the next most common slip
  for (const [section, inner] of sectionsOf(schema)) {
    const moved = nearestName(key, keysOf(inner));
    if (moved !== undefined) return `; did you mean "${section === '' ? moved : `${section}.${moved}`}"?`;
  }
  return `; the keys here are ${here.join(', ')}`;
}

function suggestValue(issue: z.core.$ZodIssue, found: unknown): string {
  if (issue.code === 'invalid_value' && typeof found === 'string') {
    const nearest = nearestName(found, issue.values.map(String));
    return nearest === undefined ? '' : `; did you mean "${nearest}"?`;
  }
  const wantsText = issue.code === 'invalid_type' && issue.expected === 'string';
  if (wantsText && (typeof found === 'number' || typeof found === 'boolean')) {
    // not the value itself: 1.0 has become 1 by now
    return '; write it in quotes';
  }
  const wantsNumber = issue.code === 'invalid_type' && ['number', 'int'].includes(issue.expected);
  if (wantsNumber && typeof found === 'string' && found !== '' && Number.isFinite(Number(found))) {
    return `; write it without quotes: ${found}`;
  }
  return '';
}

function sectionsOf(schema: z.ZodType): [string, z.ZodType][] {
  const root = unwrap(schema);
  if (!(root instanceof z.ZodObject)) return [];
  const inner = Object.entries(root.shape as Record<string, z.ZodType>);
  return [['', root], ...inner.filter(([, field]) => unwrap(field) instanceof z.ZodObject)];
}

function schemaAt(schema: z.ZodType, path: KeyPath): z.ZodType {
  let current = unwrap(schema);
  for (const key of path) {
    if (current instanceof z.ZodArray) {
      current = unwrap(current.element as z.ZodType);
      continue;
    }
    if (!(current instanceof z.ZodObject)) break;
    current = unwrap((current.shape as Record<string, z.ZodType>)[key]);
  }
  return current;
}

function keysOf(schema: z.ZodType): string[] {
  const object = unwrap(schema);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

/** Past optional, default and prefault, to the schema that they wrap. */
function unwrap(schema: z.ZodType): z.ZodType {
  let current = schema;
  while (
    current instanceof z.ZodOptional ||
    current instanceof z.ZodDefault ||
    current instanceof z.ZodPrefault
  ) {
    current = current.unwrap() as z.ZodType;
  }
  return current;
}

function valueAt(value: unknown, path: KeyPath): unknown {
  let current = value;
  for (const key of path) current = (current as Record<string | number, unknown> | undefined)?.[key];
  return current;
}

function show(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return 'a map';
  if (typeof value !== 'string') return String(value);
  const shown = hideCredentials(value);
  return JSON.stringify(shown.length > 40 ? `${shown.slice(0, 40)}...` : shown);
}

/** Whatever precedes the last @ may hold a password. */
function hideCredentials(text: string): string {
  return text.replace(/^.*@/s, '...@');
}
