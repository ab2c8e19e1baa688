import { describe, expect, test } from 'vitest';
import type { Model } from '../../src/model/model.ts';
import { checkSameShape } from '../../src/service/model-checks.ts';
import { createTinyEngine } from '../stream/tiny-engine.ts';

const { model } = createTinyEngine();
const { input, output } = model;

const others: readonly (readonly [reason: string, changes: Partial<Model>])[] = [
  ['its features are temp, dewp, expected temp, pressure', { input: { ...input, names: ['temp', 'dewp'] } }],
  ['its frames are 1m, expected 1h', { input: { ...input, periodMs: 60_000 } }],
  [
    'its readings of a frame are averaged, expected one of each feature as in the model that serves',
    { input: { ...input, combine: 'mean' } },
  ],
  ['its targets are pressure, expected temp', { output: { ...output, targets: [1] } }],
  ['its horizons are 1, 2, expected 1, 3', { output: { ...output, horizons: [1, 2] } }],
];

describe('a model takes the place of another while the service runs', () => {
  test('where it reads and answers the same', () => {
    expect(() => checkSameShape(model, { ...model, version: '2.0.0' })).not.toThrow();
  });

  test.each(others)('and not where %s', (reason, changes) => {
    expect(() => checkSameShape(model, { ...model, ...changes })).toThrow(reason);
  });

  test('nor where several readings of a frame were averaged and are not any more', () => {
    const averaged: Model = { ...model, input: { ...input, combine: 'mean' } };
    expect(() => checkSameShape(averaged, model)).toThrow(
      'its readings of a frame are one of each feature, expected averaged',
    );
  });
});
