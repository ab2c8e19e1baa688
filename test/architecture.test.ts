import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';

/** What each room of src may import besides itself: the table of the design. Change both together. */
const mayImport: Readonly<Record<string, string>> = {
  math: '',
  signal: 'math',
  model: 'signal math',
  kernels: 'math signal model',
  cell: 'math model',
  calibrate: 'math signal',
  data: 'math signal',
  baselines: 'math signal data',
  train: 'math signal model cell data kernels baselines',
  evaluate: 'math signal model data calibrate baselines',
  quantize: 'math signal model cell data kernels',
  engine: 'math signal model kernels',
  state: 'model',
  stream: 'signal model engine calibrate',
  mqtt: 'stream',
  dashboard: 'stream',
  config: 'math signal model',
  import: 'math signal model config',
  service: 'math signal model engine stream state mqtt dashboard calibrate config',
  cli: 'everything',
  'index.ts': 'model engine stream',
};
const trainingSide = ['data', 'baselines', 'train', 'evaluate', 'quantize'];
const servingSide = ['engine', 'stream', 'mqtt', 'state', 'dashboard', 'service'];
const mqttPackages = ['mqtt', 'aedes'];
const lineLimit = 400;

/** Path below src, with slashes -> text. */
type Sources = ReadonlyMap<string, string>;
/** `target` is a path of Sources, or a package. */
type Import = { readonly from: string; readonly target: string; readonly erased: boolean };

const token = new RegExp(
  [
    /\/\/.*|\/\*[\s\S]*?\*\//, // a comment
    /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")/, // a string
    /(`(?:\\[\s\S]|[^`\\])*`)/, // a template
    /(?<=[=(,:;!&|?{}[\n]\s*)(\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/)/, // a regular expression
  ]
    .map((part) => part.source)
    .join('|'),
  'g',
);
const src = fileURLToPath(new URL('../src/', import.meta.url));

const rules: Readonly<Record<string, (sources: Sources) => string[]>> = {
  'every file lies in a room of the table': (sources) =>
    [...sources.keys()].filter((path) => !(roomOf(path) in mayImport)),

  'rooms import only what the table allows': (sources) =>
    importsOf(sources)
      .filter(({ from, target }) => sources.has(target) && !isAllowed(roomOf(from), roomOf(target)))
      .map(({ from, target }) => `${from} imports ${target}`),

  'every relative import is a file of src': (sources) =>
    importsOf(sources)
      .filter(({ target }) => isRelative(target))
      .map(({ from, target }) => `${from} imports ${target}`),

  'every import() names its module': (sources) => filesMatching(sources, /\bimport\s*\(\s*(?!['"\s])/),

  'rooms import each other in no circle': (sources) => {
    const edges = importsOf(sources)
      .filter(({ target }) => sources.has(target))
      .map((edge) => [roomOf(edge.from), roomOf(edge.target)] as const)
      .filter(([from, target]) => from !== target);
    return [...new Set(edges.flat())].filter((room) => reach(room, edges).has(room));
  },

  'training and serving never reach each other': (sources) => {
    const edges = importsOf(sources).map(({ from, target }) => [from, target] as const);
    return [...sources.keys()].flatMap((path) => {
      const other = trainingSide.includes(roomOf(path))
        ? servingSide
        : servingSide.includes(roomOf(path))
          ? trainingSide
          : [];
      return [...reach(path, edges)]
        .filter((target) => sources.has(target) && other.includes(roomOf(target)))
        .map((target) => `${path} reaches ${target}`);
    });
  },

  'the public API reaches no module of Node': (sources) => {
    const edges = importsOf(sources)
      .filter(({ erased }) => !erased)
      .map(({ from, target }) => [from, target] as const);
    return [...reach('index.ts', edges)].filter((target) => isBuiltin(target));
  },

  'only mqtt/ knows MQTT': (sources) =>
    importsOf(sources)
      .filter(({ from, target }) => mqttPackages.includes(target) && roomOf(from) !== 'mqtt')
      .map(({ from, target }) => `${from} imports ${target}`),

  [`no file is longer than ${lineLimit} lines`]: (sources) =>
    [...sources]
      .map(([path, text]) => ({ path, lines: text.trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > lineLimit)
      .map(({ path, lines }) => `${path} has ${lines} lines`),

  'no folder has an index.ts': (sources) => [...sources.keys()].filter((path) => path.endsWith('/index.ts')),

  'nothing is exported as default': (sources) =>
    filesMatching(sources, /\bexport\s+default\b|\bexport\s*(?:type\s*)?\{[^}]*\bas\s+default\b/),
};

describe('src', () => {
  const sources = readSources();

  test.each(Object.entries(rules))('%s', (_, rule) => {
    expect(rule(sources)).toEqual([]);
  });

  test('the public API bundles for a browser', async () => {
    const bundle = await build({
      entryPoints: [`${src}index.ts`],
      bundle: true,
      platform: 'browser',
      format: 'esm',
      write: false,
      logLevel: 'silent',
    });
    expect(bundle.outputFiles).toHaveLength(1);
  });
});

/** One broken tree a row: the rule that must notice it, and the files. */
const broken: readonly [rule: string, files: Record<string, string>][] = [
  ['every file lies in a room of the table', { 'utils/array.ts': '' }],
  ['every file lies in a room of the table', { 'version.ts': '' }],
  ['rooms import only what the table allows', { 'math/a.ts': `import { b } from '../cell/b.ts';` }],
  ['rooms import only what the table allows', { 'math/a.ts': `import type { B } from '../cell/b.ts';` }],
  [
    'rooms import only what the table allows',
    { 'math/a.ts': `import {\n  x,\n  b, // b\n} from "../cell/b.ts"` },
  ],
  ['rooms import only what the table allows', { 'math/a.ts': `import '../cell/b.ts';` }],
  ['rooms import only what the table allows', { 'math/a.ts': `export * from '../cell/b.ts';` }],
  ['rooms import only what the table allows', { 'math/a.ts': `export type { B } from '../cell/b.ts';` }],
  ['rooms import only what the table allows', { 'math/a.ts': `const b = await import('../cell/b.ts');` }],
  ['rooms import only what the table allows', { 'math/a.ts': `let b: import('../cell/b.ts').B;` }],
  ['rooms import only what the table allows', { 'math/a.ts': `new URL('../cell/b.ts', import.meta.url)` }],
  ['rooms import only what the table allows', { 'math/a.ts': 'f(/`/);\nimport("../cell/b.ts");\nf(`x`);' }],
  ['rooms import only what the table allows', { 'evaluate/a.ts': `import { e } from '../engine/e.ts';` }],
  ['rooms import only what the table allows', { 'index.ts': `export { b } from './cell/b.ts';` }],
  ['every relative import is a file of src', { 'math/a.ts': `import { c } from './c.ts';` }],
  ['every relative import is a file of src', { 'math/a.ts': `import { c } from '../../test/c.ts';` }],
  ['every import() names its module', { 'cli/a.ts': 'await import(name);' }],
  ['every import() names its module', { 'cli/a.ts': 'await import(`../a.ts`);' }],
  [
    'rooms import each other in no circle',
    { 'math/a.ts': `import '../cell/b.ts';`, 'cell/b.ts': `import '../math/c.ts';`, 'math/c.ts': '' },
  ],
  ['training and serving never reach each other', { 'train/a.ts': `import '../engine/e.ts';` }],
  [
    'training and serving never reach each other',
    { 'stream/a.ts': `import '../math/m.ts';`, 'math/m.ts': `import '../data/d.ts';`, 'data/d.ts': '' },
  ],
  [
    'the public API reaches no module of Node',
    { 'index.ts': `export * from './cell/b.ts';`, 'cell/b.ts': `import { readFileSync } from 'node:fs';` },
  ],
  ['the public API reaches no module of Node', { 'index.ts': `await import('fs');` }],
  ['only mqtt/ knows MQTT', { 'cli/a.ts': `import { connect } from 'mqtt';` }],
  [`no file is longer than ${lineLimit} lines`, { 'math/a.ts': 'f();\n'.repeat(lineLimit + 1) }],
  ['no folder has an index.ts', { 'math/index.ts': '' }],
  ['nothing is exported as default', { 'math/a.ts': 'export default 1;' }],
  ['nothing is exported as default', { 'math/a.ts': 'export { a as default };' }],
];

describe('a broken tree is noticed', () => {
  test.each(broken)('%s: %j', (rule, files) => {
    const tree = new Map(Object.entries({ 'cell/b.ts': '', 'engine/e.ts': '', ...files }));
    expect(rules[rule]?.(tree)).not.toEqual([]);
  });

  test('and what only looks like an import is not', () => {
    const text = [
      `// import { b } from '../cell/b.ts';`,
      `/* export * from '../cell/b.ts'; */`,
      '`\nimport { b } from "../cell/b.ts";\nexport default b;`;',
      `import { a } from './a.ts';`,
    ].join('\n');
    const tree = new Map(Object.entries({ 'math/a.ts': text, 'cell/b.ts': '' }));
    for (const rule of Object.values(rules)) expect(rule(tree)).toEqual([]);
  });
});

function readSources(): Sources {
  const paths = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => path.endsWith('.ts') && !path.startsWith('kernels/assembly/'));
  return new Map(paths.sort().map((path) => [path, readFileSync(src + path, 'utf8')]));
}

/** The folder below src, or the file where it lies in src itself. */
function roomOf(path: string): string {
  return path.split('/')[0] as string;
}

function isAllowed(from: string, target: string): boolean {
  const allowed = mayImport[from]?.split(' ') ?? [];
  return from === target || allowed.includes('everything') || allowed.includes(target);
}

function isRelative(target: string): boolean {
  return target.startsWith('./') || target.startsWith('../');
}

function filesMatching(sources: Sources, pattern: RegExp): string[] {
  return [...sources].filter(([, text]) => pattern.test(codeOf(text))).map(([path]) => path);
}

/** All that can be reached from `start` in one step or more. */
function reach(start: string, edges: readonly (readonly [from: string, target: string])[]): Set<string> {
  const reached = new Set<string>();
  const visit = (node: string): void => {
    for (const [from, target] of edges) {
      if (from !== node || reached.has(target)) continue;
      reached.add(target);
      visit(target);
    }
  };
  visit(start);
  return reached;
}

function importsOf(sources: Sources): Import[] {
  return [...sources].flatMap(([from, text]) => {
    const code = codeOf(text);
    const found = (pattern: RegExp): Import[] =>
      [...code.matchAll(pattern)].map(({ groups }) => ({
        from,
        target: resolve(sources, from, groups?.target as string),
        erased: groups?.type !== undefined,
      }));
    return [
      // import a, { b } from 'x';  export * from 'x';  import type { T } from 'x';
      ...found(
        /\b(?:import|export)\b(?<type>\s+type\b(?!\s*(?:,|from\b)))?[\w\s$*{},]*?\bfrom\s*['"](?<target>[^'"]+)['"]/g,
      ),
      ...found(/\bimport\s*\(?\s*['"](?<target>[^'"]+)['"]/g),
      // a worker's file
      ...found(/\bnew\s+URL\(\s*['"](?<target>\.[^'"]+\.[jt]s)['"]\s*,\s*import\.meta\.url/g),
    ];
  });
}

/** A relative import becomes a path of `sources`; one that leads nowhere stays as it is written. */
function resolve(sources: Sources, from: string, specifier: string): string {
  if (!isRelative(specifier)) return specifier;
  const path = posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts');
  return sources.has(path) ? path : specifier;
}

/** The text without comments, and with empty template and regular expression literals. */
function codeOf(text: string): string {
  return text.replace(token, (match, string, template, regex) => {
    if (string !== undefined) return match;
    if (template !== undefined) return '``';
    return regex !== undefined ? '/ /' : ' ';
  });
}
