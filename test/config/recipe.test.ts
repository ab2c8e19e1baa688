import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import {
  canonicalRecipe,
  createRecipe,
  defaultHorizons,
  loadRecipe,
  type RecipeInput,
  recipeJsonSchema,
} from '../../src/config/recipe.ts';

const weather = `# a comment
name: nyc-weather
version: 1.2.3
release: 7
data: weather.csv
time: time_hour
stream: origin
period: 1h
season: 24
phases: auto
features: [temp, dewp, pressure]
target: temp
share: none
horizons: [1, 6, 24]
gapLimit: 24
split: [8640, 2880, 2880]
model: { cell: gru, layers: 2, hidden: 16, output: each }
training: { loss: mae, optimizer: adam, epochs: 3, chunk: 7, patience: 2, seed: 5 }
`;
const minimal = 'name: oil\ndata: oil.csv\ntarget: OT\n';

function problemsOf(text: string, path = 'recipes/oil.yaml'): readonly string[] {
  try {
    loadRecipe(text, path);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('a recipe', () => {
  test('that says the least gets every default', () => {
    expect(loadRecipe(minimal, '/recipes/oil.yaml')).toEqual({
      name: 'oil',
      version: '1.0.0',
      release: 1,
      data: '/recipes/oil.csv',
      season: 'auto',
      phases: 'auto',
      features: ['OT'],
      targets: ['OT'],
      share: 'none',
      mask: false,
      split: [0.6, 0.2, 0.2],
      model: { cell: 'lstm', join: 'residual', layers: 1, hidden: 32, output: 'each', wide: 'auto' },
      training: {
        loss: 'huber',
        optimizer: 'adamw',
        learningRate: 0.002,
        weightDecay: 0.01,
        epochs: 50,
        batch: 32,
        chunk: 14,
        resets: 0.5,
        dropout: 0.2,
        schedule: 'cosine',
        clip: 1,
        seed: 1,
        seeds: 1,
        refit: false,
      },
    });
  });

  test('that says everything is read as it stands', () => {
    const recipe = loadRecipe(weather, '/models/recipe.yaml');
    expect(recipe).toMatchObject({
      name: 'nyc-weather',
      version: '1.2.3',
      release: 7,
      data: '/models/weather.csv',
      time: 'time_hour',
      stream: 'origin',
      periodMs: 3_600_000,
      season: 24,
      features: ['temp', 'dewp', 'pressure'],
      targets: ['temp'],
      horizons: [1, 6, 24],
      gapLimit: 24,
      split: [8640, 2880, 2880],
      model: { cell: 'gru', layers: 2, hidden: 16 },
      training: { loss: 'mae', optimizer: 'adam', weightDecay: 0, patience: 2, seed: 5 },
    });
  });

  test('made by a program passes the same checks', () => {
    const recipe = createRecipe(
      { name: 'oil', data: '/data/oil.csv', target: ['OT'], period: '15m' },
      'oil.csv',
    );
    expect(recipe).toMatchObject({ targets: ['OT'], periodMs: 900_000, data: '/data/oil.csv' });
    const wrong = { name: 'oil', data: 'oil.csv', target: 'OT', release: 0 } satisfies RecipeInput;
    expect(() => createRecipe(wrong, 'oil.csv')).toThrow(
      'oil.csv: release: found 0, expected a whole number',
    );
  });
});

describe('an error of a recipe', () => {
  test.each([
    ['an unknown key', `${minimal}seson: 24`, ':4: seson: unknown key; did you mean "season"?'],
    [
      'an unknown key of a section',
      `${minimal}model:\n  hiden: 8`,
      ':5: model.hiden: unknown key; did you mean "hidden"?',
    ],
    [
      'a key in the wrong section',
      `${minimal}epochs: 8`,
      ':4: epochs: unknown key; did you mean "training.epochs"?',
    ],
    ['a section key one level too deep', `${minimal}model: { season: 8 }`, 'did you mean "season"?'],
    [
      'a key like no other',
      `${minimal}model: { colour: red }`,
      'the keys here are cell, highway, join, layers, hidden, output, segment, wide',
    ],
    [
      'a word with a slip',
      `${minimal}model:\n  cell: ltsm`,
      ':5: model.cell: found "ltsm", expected none, feedforward, rnn, lstm or gru; did you mean "lstm"?',
    ],
    [
      'a number that is text',
      `${minimal}release: "2"`,
      'found "2", expected a whole number from 1 to 4294967295; write it without quotes: 2',
    ],
    [
      'text that is a number',
      `name: 7\ndata: a.csv\ntarget: b`,
      ':1: name: found 7, expected letters, digits, dots, dashes and underscores (it becomes a file name); write it in quotes',
    ],
    [
      'a missing field',
      'name: oil\ndata: oil.csv',
      ':1: target: missing, expected a column name or a list of them',
    ],
    [
      'an empty field',
      'name: oil\ndata:\ntarget: b',
      ':2: data: found nothing, expected the path of a CSV file',
    ],
    [
      'an empty list',
      `${minimal}horizons: []`,
      ':4: horizons: found an empty list, expected a list of steps ahead from 1 to 288',
    ],
    [
      'a number out of range',
      `${minimal}horizons: [1, 289]`,
      ':4: horizons[1]: found 289, expected a whole number from 1 to 288',
    ],
    [
      'numbers that fall',
      `${minimal}horizons: [6, 1]`,
      ':4: horizons[1]: found 1 after 6, expected rising numbers',
    ],
    [
      'a season of neither',
      `${minimal}season: day`,
      ':4: season: found "day", expected "auto" or a whole number from 1 to 20160',
    ],
    ['a season of none', `${minimal}season: 0`, ':4: season: found 0, expected "auto" or a whole number'],
    [
      'a period of no unit',
      `${minimal}period: 1 hour`,
      ':4: period: found "1 hour", expected a duration such as 30s, 5m, 1h or 1d',
    ],
    ['a period of nothing', `${minimal}period: 0s`, ':4: period: found "0s", expected a duration'],
    [
      'a range with an open end',
      `${minimal}training: { dropout: 1 }`,
      'found 1, expected a number from 0 to below 1',
    ],
    [
      'infinity',
      `${minimal}training: { clip: .inf }`,
      'training.clip: found Infinity, expected a number above 0 to 1000000',
    ],
    [
      'a split of two',
      `${minimal}split: [0.8, 0.2]`,
      'split: found a list of 2, expected three fractions or three counts',
    ],
    [
      'a split that is too much',
      `${minimal}split: [0.8, 0.2, 0.2]`,
      ':4: split: found 0.8, 0.2, 0.2, expected fractions with a sum of at most 1',
    ],
    [
      'a split without a test part',
      `${minimal}split: [0.8, 0.2, 0]`,
      ':4: split[2]: found 0, expected a number above 0',
    ],
    [
      'a target that is no feature',
      `${minimal}features: [HUFL, ot]`,
      ':3: target: "OT" is not among the features; did you mean "ot"?',
    ],
    ['a column named twice', `${minimal}features: [OT, OT]`, ':4: features[1]: "OT" stands here twice'],
    [
      'a feature that is the time',
      `${minimal}features: [OT, date]\ntime: date`,
      ':4: features[1]: "date" is the time column',
    ],
    ['a feature that is the stream', `${minimal}stream: OT`, ':3: target: "OT" is the stream column'],
    [
      'a stream that is the time',
      `${minimal}stream: a\ntime: a`,
      ':4: stream: "a" is the time column already',
    ],
    [
      'a feature beside shared channels',
      `${minimal}features: [OT, b]\nshare: channels`,
      ':4: features[1]: "b" is no target',
    ],
    [
      'lags with phases',
      `${minimal}lags: [1, 24]`,
      ':4: lags: lags work with one state a stream only; add phases: 1',
    ],
    [
      'lags with a window',
      `${minimal}lags: [1]\nphases: 1\nmodel: { cell: feedforward }`,
      'lags: the window of cell: feedforward is model.segment',
    ],
    [
      'a segment for nothing',
      `${minimal}model: { segment: 24 }`,
      ':4: model.segment: cell: lstm with output: each carries its state for ever',
    ],
    [
      'phases without a state',
      `${minimal}phases: 24\nmodel: { output: last }`,
      ':4: phases: found 24, expected 1: output: last carries no state',
    ],
    ['a wide gru', `${minimal}model: { cell: gru, wide: true }`, 'model.wide: cell: gru stays in float32'],
    [
      'a wide lstm that is too large',
      `${minimal}model: { hidden: 600, wide: true }`,
      'found hidden: 600, expected at most 512 with wide',
    ],
    [
      'quantiles without the ends of the interval',
      `${minimal}quantiles: [0.5, 0.9]`,
      ':4: quantiles: found 0.5, 0.9, expected 0.1, 0.5 and 0.9 among them',
    ],
    [
      'quantiles that fall',
      `${minimal}quantiles: [0.1, 0.5, 0.9, 0.2]`,
      ':4: quantiles[3]: found 0.2 after 0.9, expected rising numbers',
    ],
    ['a quantile of 1', `${minimal}quantiles: [0.1, 0.5, 0.9, 1]`, 'expected a number above 0 to below 1'],
    ['a loss that there is not', `${minimal}training: { loss: pinball }`, 'expected mse, mae or huber'],
    [
      'decay of another optimizer',
      `${minimal}training: { optimizer: adam, weightDecay: 0.1 }`,
      'training.weightDecay: optimizer: adam decays no weights',
    ],
    [
      'a name that is a path',
      'name: ../oil\ndata: a\ntarget: b',
      ':1: name: found "../oil", expected letters',
    ],
    [
      'a list as the whole',
      '- name: oil',
      ':1: found a list of 1, expected a map with at least name, data and target',
    ],
    ['an empty file', '', ':1: found nothing, expected a map'],
    ['a key given twice', `${minimal}name: b`, ':4: Map keys must be unique'],
    ['a bracket left open', `${minimal}features: [OT\nseason: 3`, 'oil.yaml:5: Flow sequence'],
    ['an alias of nothing', 'name: *x', 'recipes/oil.yaml: Unresolved alias'],
  ])('names the place and a fix: %s', (_, text, expected) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
    expect(problems[0]).toMatch(/^recipes\/oil\.yaml(:\d+)?: /);
    expect(problems[0]).not.toContain('\n');
  });

  test('does not hide the next one, and they come in the order of the file', () => {
    const text =
      'name: a b\nversion: 1.0\ndata: x.csv\ntarget: y\nmodel:\n  layers: 9\n  cel: gru\nhorizon: 3\n';
    expect(problemsOf(text).map((line) => line.split(':')[1])).toEqual(['1', '2', '6', '7', '8']);
  });

  test('is a ConfigError for any YAML at all', () => {
    const word = fc.constantFrom(
      ...weather.split(/([\s:,{}[\]]+)/),
      '*a',
      '&a',
      '- ',
      '"',
      '!!x',
      '? ',
      '__proto__',
    );
    const mutation = fc.tuple(fc.nat(weather.length), fc.nat(12), word);
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        let text = weather;
        for (const [at, length, insert] of mutations)
          text = text.slice(0, at) + insert + text.slice(at + length);
        for (const line of problemsOf(text)) expect(line).toMatch(/^recipes\/oil\.yaml/);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});

describe('the canonical recipe', () => {
  const path = '/somewhere/recipe.yaml';

  test.each([
    ['minimal', minimal],
    ['weather', weather],
    [
      'several targets',
      `${minimal.replace('target: OT', 'target: [a, "2", "true"]')}quantiles: [.05, .1, .5, .9]`,
    ],
    ['points alone', `${minimal}quantiles: []`],
    ['a mask', `${minimal}mask: true`],
    ['lags', `${minimal}phases: 1\nlags: [1, 24]\nmodel: { output: last, segment: 24, wide: true }`],
  ])('of %s reads back as the same recipe', (_, text) => {
    const recipe = loadRecipe(text, path);
    const canonical = canonicalRecipe(recipe);
    expect(loadRecipe(canonical, path)).toEqual(recipe);
    expect(canonicalRecipe(loadRecipe(canonical, path))).toBe(canonical);
  });

  test('knows neither the place, nor the order, nor the comments of the file', () => {
    const moved = `training: { seed: 5, patience: 2, chunk: 7, epochs: 3, optimizer: adam, loss: mae }\n${weather
      .replace(/^training.*\n/m, '')
      .replace('weather.csv', 'elsewhere/weather.csv')
      .replace('1h', '3600000')}`;
    expect(canonicalRecipe(loadRecipe(moved, '/b/c.yaml'))).toBe(canonicalRecipe(loadRecipe(weather, path)));
  });

  test('is this text', () => {
    expect(canonicalRecipe(loadRecipe(weather, path))).toBe(`name: nyc-weather
version: 1.2.3
release: 7
data: weather.csv
time: time_hour
stream: origin
period: 1h
season: 24
phases: auto
features: [temp, dewp, pressure]
target: temp
share: none
horizons: [1, 6, 24]
gapLimit: 24
split: [8640, 2880, 2880]
model:
  cell: gru
  layers: 2
  hidden: 16
  output: each
  wide: auto
training:
  loss: mae
  optimizer: adam
  learningRate: 0.002
  epochs: 3
  batch: 32
  chunk: 7
  resets: 0.5
  dropout: 0.2
  schedule: cosine
  clip: 1
  patience: 2
  seed: 5
`);
  });
});

describe('defaultHorizons', () => {
  const minute = 60_000;
  test.each([
    ['hourly data', 60 * minute, 24, [1, 6, 24]],
    ['a quarter of an hour', 15 * minute, 96, [1, 4, 24, 96]],
    ['five minutes', 5 * minute, 288, [1, 12, 72, 288]],
    ['a minute: 6 h are too far', minute, 1440, [1, 60]],
    ['a day: an hour is no whole step', 1440 * minute, 7, [1, 7]],
    ['45 minutes: only 6 h are whole', 45 * minute, 32, [1, 8, 32]],
    ['no season', 60 * minute, 1, [1, 6]],
  ])('of %s', (_, periodMs, season, horizons) => {
    expect(defaultHorizons(periodMs, season)).toEqual(horizons);
  });
});

test('the JSON Schema describes every field and refuses others', () => {
  const schema = recipeJsonSchema() as { properties: Record<string, object>; required: string[] };
  expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
  expect(schema.required).toEqual(['name', 'data', 'target']);
  expect(Object.keys(schema.properties)).toContain('gapLimit');
  expect(schema.properties.model).toMatchObject({
    additionalProperties: false,
    properties: { hidden: { minimum: 1, maximum: 1024, default: 32 } },
  });
});

test('a binary file is named as one, in one short line', () => {
  const model = readFileSync(new URL('../../models/nyc-weather/nyc-weather.pb', import.meta.url));
  const text = new TextDecoder().decode(model);
  expect(() => loadRecipe(text, 'nyc-weather.pb')).toThrow(
    /^nyc-weather\.pb: a binary file, expected YAML text$/,
  );
});
