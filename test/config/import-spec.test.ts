import { describe, expect, test } from 'vitest';
import {
  canonicalImportSpec,
  columnsOfSpec,
  loadDataColumns,
  loadImportSpec,
} from '../../src/config/import-spec.ts';

const minimal = `name: boiler
features:
  - { name: temp, mean: 61.5, scale: 4.2 }
  - { name: flow, mean: 3.1, scale: 0.8, unit: l/s }
target: temp
horizons: [1, 6]
period: 10m
`;
const load = (text: string) => loadImportSpec(text, 'spec.yaml');

describe('the spec of an import', () => {
  test('has defaults for all but names, scaling, horizons and period', () => {
    expect(load(minimal)).toEqual({
      ...{ name: 'boiler', version: '1.0.0', release: 1, periodMs: 600_000, season: 1, gapLimit: 6 },
      features: [
        { name: 'temp', mean: 61.5, scale: 4.2, unit: '' },
        { name: 'flow', mean: 3.1, scale: 0.8, unit: 'l/s' },
      ],
      ...{ targets: ['temp'], horizons: [1, 6], inputs: 'plain', lags: [], outputs: 'plain' },
      ...{ order: 'target-step', segment: 0, wide: 'auto' },
    });
  });

  const full = `${minimal}version: 2.1.0\nrelease: 7\nseason: 144\ngapLimit: 12\ninputs: differences\nlags: [1, 144]
outputs: increments\norder: step-target\nsegment: 48\nwide: true\ntime: at\nstream: boiler
weights: { recurrent: [low, high], head: out }\n`;

  test.each([
    ['the least', minimal],
    ['everything', full],
    ['two targets', minimal.replace('target: temp', 'target: [flow, temp]')],
    ['one module by name', `${minimal}weights: { recurrent: lstm }\n`],
    ['differences to the frame before', `${minimal}inputs: differences\n`],
  ])('comes back from its canonical words: %s', (_, text) => {
    const spec = load(text);
    expect(load(canonicalImportSpec(spec))).toEqual(spec);
    expect(canonicalImportSpec(load(canonicalImportSpec(spec)))).toBe(canonicalImportSpec(spec));
  });

  test('says how to read a CSV, as a recipe does', () => {
    const columns = { features: ['temp', 'flow'], targets: ['temp'], share: 'none', periodMs: 600_000 };
    expect(columnsOfSpec(load(minimal))).toEqual(columns);
    expect(loadDataColumns(canonicalImportSpec(load(full)), 'model.pb:recipe')).toEqual({
      ...columns,
      ...{ time: 'at', stream: 'boiler' },
    });
    const recipe = 'name: weather\ndata: weather.csv\ntarget: temp\nstream: origin\n';
    expect(loadDataColumns(recipe, 'model.pb:recipe')).toMatchObject({
      features: ['temp'],
      stream: 'origin',
    });
  });
});

describe('a wrong spec is told with its line', () => {
  test.each([
    ['nothing', '', 'spec.yaml:1: found nothing, expected a map with at least name, features, target'],
    [
      'no scaling',
      minimal.replace(', scale: 4.2', ''),
      'spec.yaml:3: features[0].scale: missing, expected a number above 0',
    ],
    [
      'a scale of 0',
      minimal.replace('4.2', '0'),
      'spec.yaml:3: features[0].scale: found 0, expected a number above 0',
    ],
    [
      'an unknown key',
      minimal.replace('unit', 'units'),
      'spec.yaml:4: features[1].units: unknown key; did you mean "unit"?',
    ],
    [
      'a feature twice',
      minimal.replace('flow', 'temp'),
      'spec.yaml:4: features[1].name: "temp" stands here twice',
    ],
    [
      'a target with a slip',
      minimal.replace('target: temp', 'target: tmp'),
      'spec.yaml:5: target: "tmp" is not among the features; did you mean "temp"?',
    ],
    [
      'a target twice',
      minimal.replace('target: temp', 'target: [temp, temp]'),
      'spec.yaml:5: target[1]: "temp" stands here twice',
    ],
    [
      'horizons that fall',
      minimal.replace('[1, 6]', '[6, 1]'),
      'spec.yaml:6: horizons[1]: found 1 after 6, expected rising numbers',
    ],
    ['no period', minimal.replace('period: 10m\n', ''), 'spec.yaml:1: period: missing, expected a duration'],
    [
      'lags of plain inputs',
      `${minimal}lags: [1]\n`,
      'spec.yaml:8: lags: plain inputs have no lags; set inputs: differences',
    ],
    [
      'another word',
      `${minimal}inputs: difference\n`,
      'spec.yaml:8: inputs: found "difference", expected plain or differences; did you mean "differences"?',
    ],
  ])('%s', (_, text, expected) => {
    expect(() => load(text)).toThrow(expected);
  });
});
