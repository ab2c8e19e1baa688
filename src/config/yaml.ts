import { isMap, isNode, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { ConfigError } from './config-error.ts';

export type KeyPath = readonly (string | number)[];

export interface Position {
  /** What a message starts with. */
  readonly text: string;
  readonly line: number;
}

/** Says where a value stands; `key` asks for a key of that map instead, which is all that an unknown key has. */
export type Place = (path: KeyPath, key?: string) => Position;

export interface YamlSource {
  readonly value: unknown;
  readonly place: Place;
}

// NUL, or what a decoder puts where the bytes are no UTF-8
const binaryCharacter = /[\0\uFFFD]/;
/** A syntax error brings others with it, and may quote the rest of the file. */
const mostErrors = 3;
const longestMessage = 200;

/** Reads YAML and remembers the lines.
 * @throws ConfigError with a line `file:line: ...` for every syntax error */
export function readYaml(text: string, file: string): YamlSource {
  if (binaryCharacter.test(text)) throw new ConfigError([`${file}: a binary file, expected YAML text`]);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): Position => {
    const line = Math.max(1, lines.linePos(offset).line);
    return { text: `${file}:${line}`, line };
  };
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors
        .slice(0, mostErrors)
        .map(({ pos, message }) => `${at(pos[0]).text}: ${oneLine(message)}`),
    );
  }
  const place: Place = (path, key) => {
    // a missing value has no place of its own: the nearest map around it has
    for (let length = path.length; length >= 0; length--) {
      const parent = path.slice(0, length);
      const name = length < path.length ? undefined : key;
      const offset = offsetOf(document, parent, name);
      if (offset !== undefined) return at(offset);
    }
    return at(0);
  };
  try {
    return { value: document.toJS(), place };
  } catch (error) {
    // unresolved aliases, and aliases that would fill the memory
    throw new ConfigError([`${file}: ${oneLine((error as Error).message)}`], { cause: error });
  }
}

function offsetOf(
  document: ReturnType<typeof parseDocument>,
  path: KeyPath,
  key?: string,
): number | undefined {
  const node: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  if (key !== undefined && isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
    if (pair) return startOf(pair.key as Node);
  }
  return isNode(node) ? startOf(node) : undefined;
}

function startOf(node: Node): number | undefined {
  return node.range?.[0];
}

function oneLine(message: string): string {
  const line = message.replace(/\s*\n\s*/g, ' ');
  return line.length > longestMessage ? `${line.slice(0, longestMessage)} ...` : line;
}
