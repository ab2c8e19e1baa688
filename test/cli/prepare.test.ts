import { describe, expect, test } from 'vitest';
import { prepareDataset } from '../../src/cli/prepare.ts';
import { createRecipe, type RecipeInput } from '../../src/config/recipe.ts';
import { makeDataset } from '../data/make-dataset.ts';

/** Any season can be told to it. */
const dataset = makeDataset({ boiler: Array.from({ length: 9000 }, (_, t) => ((t * t) % 10) + t / 1000) });

function prepare(settings: Partial<RecipeInput>) {
  const recipe = createRecipe({ name: 'boiler', data: 'boiler.csv', target: 'x', ...settings }, 'test');
  return prepareDataset(recipe, { dataset, targets: [0] }, () => {});
}

describe('what a network sees', () => {
  test('is the whole last season, with a state for every frame of it', () => {
    const { phases, spec } = prepare({ season: 24, horizons: [6] });
    expect(phases).toBe(24);
    expect(spec.lags).toEqual(Array.from({ length: 24 }, (_, i) => i + 1));
    expect(spec.averages).toEqual([24, 168]);
  });

  test('is the last frames and two levels where nothing repeats', () => {
    const { phases, spec } = prepare({ season: 1, horizons: [6] });
    expect({ phases, lags: spec.lags, averages: spec.averages }).toEqual({
      phases: 1,
      lags: [1, 2, 3, 4, 6, 8, 12],
      averages: [24, 168],
    });
  });

  test('is the last frames and what came after this one a season ago, where a season is too long for states', () => {
    const { phases, spec } = prepare({ season: 1440, horizons: [60] });
    expect(phases).toBe(1);
    expect(spec.lags).toEqual([1, 2, 3, 4, 6, 8, 12, 1380, 1395, 1410, 1425, 1440]);
  });

  test('has every lag once, whatever season and horizon', () => {
    for (const season of [2, 3, 7, 24, 100]) {
      for (const horizon of [1, 2, 24, 288]) {
        const { lags } = prepare({ season, phases: 1, horizons: [horizon] }).spec;
        expect(lags).toEqual([...new Set(lags)].sort((a, b) => a - b));
        expect(lags.at(-1)).toBe(season);
      }
    }
  });

  test('reaches over a gap of a season, whatever the model looks back by', () => {
    const gapLimitOf = (settings: Partial<RecipeInput>) =>
      prepare({ horizons: [6], ...settings }).recipe.gapLimit;
    expect(gapLimitOf({ season: 24 })).toBe(24);
    expect(gapLimitOf({ season: 24, phases: 1 })).toBe(24);
    expect(gapLimitOf({ season: 24, model: { cell: 'none', highway: 'own96' } })).toBe(24);
    expect(gapLimitOf({ season: 1 })).toBe(6);
    expect(gapLimitOf({ season: 24, gapLimit: 2 })).toBe(2);
  });

  test('widens by swings that a file can hold, however long the lags', () => {
    for (const settings of [
      { season: 24, phases: 1, lags: [1, 24, 400] },
      { season: 1, model: { cell: 'feedforward', segment: 400 } },
      { season: 2, phases: 500 },
    ] satisfies Partial<RecipeInput>[]) {
      const { spec } = prepare({ horizons: [6], ...settings });
      expect(spec.swing?.constant).toBeGreaterThanOrEqual(Math.max(...spec.lags));
    }
  });
});
