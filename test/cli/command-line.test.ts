import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type {
  Commands,
  EvaluateArguments,
  GradientsArguments,
  TrainArguments,
} from '../../src/cli/command.ts';
import { recipeOf } from '../../src/cli/train-recipe.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { DataError } from '../../src/data/data-error.ts';
import { ModelFormatError } from '../../src/model/format-error.ts';
import { capture } from './capture.ts';

const fail = (name: string) => async () => {
  throw new Error(`${name} was not to run`);
};
const noCommands: Commands = {
  train: fail('train'),
  evaluate: fail('evaluate'),
  gradients: fail('gradients'),
  importModel: fail('import'),
  inspect: fail('inspect'),
  run: fail('run'),
  state: fail('state'),
  replay: fail('replay'),
  record: fail('record'),
  keygen: fail('keygen'),
  sign: fail('sign'),
  verify: fail('verify'),
  deploy: fail('deploy'),
  rollback: fail('rollback'),
  demo: fail('demo'),
};

const run = (args: readonly string[], commands: Partial<Commands> = {}) =>
  capture(args, { ...noCommands, ...commands });

const names = [
  'train',
  'evaluate',
  'gradients',
  'import',
  'inspect',
  'run',
  'state',
  'replay',
  'record',
  'keygen',
  'sign',
  'verify',
  'deploy',
  'rollback',
  'demo',
];

describe('help', () => {
  test('of the program names every command, with examples and exit codes', async () => {
    const { code, stdout, stderr } = await run(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const name of names) expect(stdout).toContain(`\n  ${name} `);
    expect(stdout).toContain('Examples:\n  cellstream demo');
    expect(stdout).toContain('Exit codes: 0 done, 1 the work failed, 2');
  });

  test.each(names)('of %s shows an example and --json', async (name) => {
    const { code, stdout } = await run([name, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`Examples?:\\n[\\s\\S]*cellstream ${name}`));
    expect(stdout).toContain('--json');
  });

  test('comes on standard error, with exit code 2, when nothing is asked for', async () => {
    const { code, stdout, stderr } = await run([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: cellstream');
  });

  test('--version prints the version', async () => {
    expect(await run(['--version'])).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
  });
});

describe('wrong arguments end with exit code 2 and one line', () => {
  test.each([
    ['tran recipe.yaml', "unknown command 'tran'; did you mean train? (see cellstream --help)"],
    [
      'train recipe.yaml --sed 3',
      "unknown option '--sed'; did you mean --seed? (see cellstream train --help)",
    ],
    ['train', "missing required argument 'recipe|data' (see cellstream train --help)"],
    ['evaluate m.pb', "required option '--data <csv>' not specified"],
    [
      'evaluate m.pb --data a.csv --split tset',
      "'tset' is invalid. Allowed choices are train, validation, test.",
    ],
    ['inspect a.pb b.pb', "too many arguments for 'inspect'. Expected 1 argument but got 2."],
    ['train a.csv --target', "option '--target <column>' argument missing"],
    ['train a.csv --target a,,b', 'Expected a column, or several with commas between them.'],
    ['train a.yaml --seed -1', 'Expected a whole number from 0 to 4294967295.'],
    ['train a.yaml --horizon 0', 'Expected a whole number from 1 to 288.'],
    ['train a.yaml --horizon 1.5', 'Expected a whole number from 1 to 288.'],
    ['train a.yaml --cell ltsm', 'Allowed choices are feedforward, rnn, lstm, gru.'],
    ['demo --seconds 0', 'Expected a number above 0, at most 2147483 (24 days).'],
    ['demo --seconds 2147484', 'Expected a number above 0, at most 2147483 (24 days).'],
    ['record --broker mqtt://a --topic a --out a.csv --seconds 3e6', 'above 0, at most 2147483 (24 days).'],
    ['deploy m.pb --broker mqtt://a --topic a --seconds 3000000', 'above 0, at most 2147483 (24 days).'],
    ['demo --port 70000', 'Expected a whole number from 1 to 65535.'],
    ['run', "missing required argument 'config' (see cellstream run --help)"],
    ['replay a.csv --topic a/{stream}', "required option '--broker <url>' not specified"],
    ['replay a.csv --broker mqtt://a --topic a --speed 0', 'Expected a number above 0, or max.'],
    ['replay a.csv --broker mqtt://a --topic a --qos 2', 'Allowed choices are 0, 1.'],
    ['record --broker mqtt://a --topic a', "required option '--out <csv>' not specified"],
  ])('%s', async (line, expected) => {
    const { code, stdout, stderr } = await run(line.split(' '));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(expected);
    expect(stderr).toMatch(/^cellstream: [^\n]*\n$/);
  });
});

describe('a command', () => {
  test('gets its arguments as they were meant', async () => {
    const seen: unknown[] = [];
    const note = async (args: unknown) => {
      seen.push(args);
      return { summary: {}, text: '' };
    };
    const commands = {
      train: note,
      evaluate: note,
      gradients: note,
      importModel: note,
      inspect: note,
      run: note,
      replay: note,
      record: note,
      demo: async (args: unknown) => void seen.push(args),
    };
    await run(
      'train a.csv --target x,y --target z --horizon 24 --out o --seed 7 --refit --resume --quiet'.split(' '),
      commands,
    );
    await run('train recipe.yaml --cell gru'.split(' '), commands);
    await run('evaluate m.pb --data a.csv --float f.pb'.split(' '), commands);
    await run('gradients r.yaml --steps 50'.split(' '), commands);
    await run(['inspect', 'm.pb'], commands);
    await run('demo --seconds 2.5 --json'.split(' '), commands);
    await run('demo --port 1883 --quiet'.split(' '), commands);
    const train = {
      target: ['x', 'y', 'z'],
      horizon: 24,
      out: 'o',
      seed: 7,
      refit: true,
      resume: true,
    };
    expect(seen).toEqual([
      expect.objectContaining({ input: 'a.csv', ...train } satisfies TrainArguments),
      expect.objectContaining({
        input: 'recipe.yaml',
        cell: 'gru',
        out: 'out',
        refit: false,
        resume: false,
      } satisfies TrainArguments),
      expect.objectContaining({
        model: 'm.pb',
        data: 'a.csv',
        split: 'test',
        float: 'f.pb',
      } satisfies EvaluateArguments),
      expect.objectContaining({ recipe: 'r.yaml', steps: 50, out: 'out' } satisfies GradientsArguments),
      { model: 'm.pb' },
      { seconds: 2.5, port: undefined, json: true, quiet: false },
      { seconds: undefined, port: 1883, json: false, quiet: true },
    ]);
  });

  const inspect: Commands['inspect'] = async (_, terminal) => {
    terminal.log('self-test ...');
    terminal.warn('old format');
    return { summary: { id: 'ab', bytes: 3 }, text: 'a table\n\n' };
  };

  test('prints its text to people, and its log to standard error', async () => {
    expect(await run(['inspect', 'm.pb'], { inspect })).toEqual({
      code: 0,
      stdout: 'a table\n',
      stderr: 'self-test ...\nwarning: old format\n',
    });
  });

  test('prints one JSON object and nothing else with --json', async () => {
    const { stdout } = await run(['inspect', 'm.pb', '--json'], { inspect });
    expect(stdout).toBe('{"id":"ab","bytes":3}\n');
  });

  test('keeps warnings, and nothing else, with --quiet', async () => {
    const { stderr } = await run(['inspect', 'm.pb', '--quiet'], { inspect });
    expect(stderr).toBe('warning: old format\n');
  });
});

describe('an error', () => {
  const failing = (error: unknown): Partial<Commands> => ({
    inspect: async () => {
      throw error;
    },
  });

  test.each([
    new DataError('a.csv line 3: no time'),
    new ModelFormatError('3 row scales for 4 rows'),
    new UsageError('there is no model m.pb'),
    new ConfigError(['r.yaml:3: target: missing']),
  ])('of the user ends with exit code 2 and its line: %s', async (error) => {
    const { code, stdout, stderr } = await run(['inspect', 'm.pb', '--json'], failing(error));
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: `cellstream: ${error.message}\n`,
    });
  });

  test('of a recipe has a line for every problem', async () => {
    const { stderr } = await run(
      ['inspect', 'm.pb'],
      failing(new ConfigError(['r.yaml:1: a', 'r.yaml:2: b'])),
    );
    expect(stderr).toBe('cellstream: r.yaml:1: a\ncellstream: r.yaml:2: b\n');
  });

  test('of ours ends with exit code 1 and one line, the stack only with CELLSTREAM_DEBUG', async () => {
    const error = new Error('the loss is NaN\n  at epoch 3', { cause: new Error('overflow') });
    expect(await run(['inspect', 'm.pb'], failing(error))).toEqual({
      code: 1,
      stdout: '',
      stderr: 'cellstream: the loss is NaN at epoch 3\n',
    });
    process.env.CELLSTREAM_DEBUG = '1';
    try {
      const { code, stderr } = await run(['inspect', 'm.pb'], failing(error));
      expect(code).toBe(1);
      expect(stderr).toContain('command-line.test.ts');
      expect(stderr).toContain('caused by Error: overflow');
    } finally {
      delete process.env.CELLSTREAM_DEBUG;
    }
  });

  test('that is no Error is told all the same', async () => {
    expect((await run(['inspect', 'm.pb'], failing('boom'))).stderr).toBe('cellstream: boom\n');
  });
});

describe('the recipe of train', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-cli-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'recipe.yaml');
  writeFileSync(path, 'name: oil\ndata: oil.csv\ntarget: OT\nphases: 24\nmodel: { wide: true }\n');
  const args: TrainArguments = { input: path, out: 'out', refit: false, resume: false };

  test('is the file, with what the options change', () => {
    const recipe = recipeOf({ ...args, horizon: 24, seed: 9 });
    expect(recipe).toMatchObject({
      data: join(folder, 'oil.csv'),
      horizons: [24],
      training: { seed: 9, epochs: 50 },
    });
    expect(recipeOf(args)).not.toHaveProperty('horizons');
  });

  test('of another cell leaves out what only the first one had', () => {
    expect(recipeOf({ ...args, cell: 'gru' })).toMatchObject({
      phases: 24,
      model: { cell: 'gru', wide: 'auto' },
    });
    expect(recipeOf({ ...args, cell: 'lstm' })).toMatchObject({
      phases: 24,
      model: { cell: 'lstm', wide: true },
    });
    expect(recipeOf({ ...args, cell: 'feedforward' })).toMatchObject({
      phases: 1,
      model: { cell: 'feedforward' },
    });
  });

  test('is made around a CSV and named after it', () => {
    const recipe = recipeOf({
      ...args,
      input: '/data/Weather 2013 (JFK).csv',
      target: ['temp'],
      stream: 'origin',
    });
    expect(recipe).toMatchObject({
      name: 'Weather-2013-JFK',
      targets: ['temp'],
      features: ['temp'],
      stream: 'origin',
    });
    expect(recipe.data).toBe('/data/Weather 2013 (JFK).csv');
  });

  test.each([
    [
      'a CSV without a target',
      { input: 'a.csv' },
      'a.csv is no recipe (.yaml), so name the column to forecast with --target',
    ],
    ['a target beside a recipe', { target: ['OT'] }, '--target is for a CSV'],
    ['a name with a slip', { input: join(folder, 'recpie.yaml') }, `did you mean ${path}?`],
    [
      'a folder that is not there',
      { input: '/nowhere/recipe.yaml' },
      'there is no recipe /nowhere/recipe.yaml; there is no folder /nowhere either',
    ],
  ])('names what is wrong: %s', (_, change, expected) => {
    expect(() => recipeOf({ ...args, ...change })).toThrow(UsageError);
    expect(() => recipeOf({ ...args, ...change })).toThrow(expected);
  });

  test('a folder in place of a file is told', () => {
    const named = join(folder, 'folder.yaml');
    mkdirSync(named);
    expect(() => recipeOf({ ...args, input: named })).toThrow(`${named} is a folder, expected a recipe`);
  });
});
