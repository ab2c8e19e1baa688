/** The keys and indices that lead to a value. */
export type JsonPath = readonly (string | number)[];

const step = /\.([A-Za-z_][\w-]*)|\[(\d+)\]|\['([^']+)'\]|\["([^"]+)"\]/y;

/** `$.sensors[0].temperature`, `$['air temp']`. Anything that does not start with `$` is a key of its own: `temp`.
 * @returns undefined for what starts like a path and is none */
export function parseJsonPath(text: string): JsonPath | undefined {
  if (!text.startsWith('$')) return text === '' ? undefined : [text];
  const path: (string | number)[] = [];
  step.lastIndex = 1;
  while (step.lastIndex < text.length) {
    const match = step.exec(text);
    if (!match) return undefined;
    const [, key, index, single, double] = match;
    path.push(index === undefined ? (key ?? single ?? double) : Number(index));
  }
  return path.length === 0 ? undefined : path;
}

/** undefined where the path leads nowhere; keys that every object inherits lead nowhere. */
export function followPath(body: unknown, path: JsonPath): unknown {
  let current = body;
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Record<string | number, unknown>)[key];
  }
  return current;
}
