import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { canonicalRecipe, loadRecipe } from '../../src/config/recipe.ts';

const path = '/somewhere/recipe.yaml';
const read = (text: string) =>
  loadRecipe(`name: oil\ndata: oil.csv\n${/^target/m.test(text) ? '' : 'target: OT\n'}${text}`, path);

function problemsOf(text: string): readonly string[] {
  try {
    read(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('a recipe with a ridge', () => {
  test.each([
    ['alone', 'model: { cell: none, highway: own336 }', 'model:\n  cell: none\n  highway: own336\n'],
    [
      'alone, fitted again',
      'model: { cell: none, highway: own96 }\ntraining: { refit: true }',
      'model:\n  cell: none\n  highway: own96\ntraining:\n  refit: true\n',
    ],
    [
      'frozen beside a network',
      'features: [OT, HUFL]\nmodel: { highway: all12 }\ntraining: { seeds: 3 }',
      'model:\n  cell: lstm\n  highway: all12\n  layers: 1\n',
    ],
    [
      'in the mean with a network',
      'model: { highway: own96, join: mean }',
      'model:\n  cell: lstm\n  highway: own96\n  join: mean\n  layers: 1\n',
    ],
  ])('%s reads back from its canonical text, which says nothing that does nothing', (_, text, expected) => {
    const canonical = canonicalRecipe(read(text));
    expect(canonical).toContain(expected);
    expect(loadRecipe(canonical, path)).toEqual(read(text));
  });

  test.each([
    [
      'no ridge',
      'model: { cell: none }',
      'model.cell: cell: none is a ridge alone; say which: highway: own96',
    ],
    ['units', 'model: { cell: none, highway: own96, hidden: 32 }', 'model.hidden: cell: none has no network'],
    ['a segment', 'model: { cell: none, highway: own96, segment: 3 }', 'model.segment: cell: none has no'],
    [
      'quantiles',
      'model: { cell: none, highway: own96 }\nquantiles: [0.1, 0.5, 0.9]',
      'quantiles: cell: none answers points',
    ],
    [
      'a mask',
      'model: { cell: none, highway: own96 }\nmask: true',
      'mask: cell: none has no network to tell',
    ],
    [
      'epochs',
      'model: { cell: none, highway: own96 }\ntraining: { epochs: 3 }',
      'training.epochs: cell: none has no network; take epochs out',
    ],
    [
      'a seed',
      'model: { cell: none, highway: own96 }\ntraining: { refit: true, seed: 3 }',
      'training.seed: cell: none has no network; take seed out',
    ],
    [
      'phases',
      'phases: 24\nmodel: { cell: none, highway: own96 }',
      'phases: found 24, expected 1: cell: none',
    ],
    ['lags', 'phases: 1\nlags: [1]\nmodel: { cell: none, highway: own96 }', 'lags: the window of cell: none'],
    ['a mean of one', 'model: { join: mean }', 'model.join: join: mean is of a network and a highway'],
    ['an unknown ridge', 'model: { highway: own69 }', 'did you mean "own96"?'],
    ['all12 of one feature', 'model: { highway: all12 }', 'model.highway: all12 looks at 2 to 32 features'],
    [
      'all12 of channels',
      'features: [OT, HUFL]\ntarget: [OT, HUFL]\nshare: channels\nmodel: { highway: all12 }',
      'here the model sees one',
    ],
    [
      'more units than a file holds',
      'model: { hidden: 512 }\ntraining: { seeds: 3 }',
      'training.seeds: found 3 networks of 512 units, expected at most 1024 units together',
    ],
    [
      'more units than 12 bits allow',
      'model: { hidden: 256, wide: true }\ntraining: { seeds: 3 }',
      'found 3 networks of 256 units, expected at most 512 units together',
    ],
  ])('is refused with %s', (_, text, expected) => {
    const problems = problemsOf(text);
    expect(problems.join('\n')).toContain(expected);
  });
});
