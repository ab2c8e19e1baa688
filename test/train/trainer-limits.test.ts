import { describe, expect, test } from 'vitest';
import { TrainingError } from '../../src/train/training-error.ts';
import { type SetupOptions, setUp } from './setup.ts';
import { dataset, learnt, train, trainWatched, withTraining } from './training.ts';

describe('early stopping', () => {
  // a rate at which validation goes up and down
  const wild = { training: { learningRate: 0.3, schedule: 'constant', epochs: 12, seed: 2 } } as const;
  const { trained: whole, parameters } = trainWatched(setUp(dataset, wild));
  const validations = whole.history.map(({ validation }) => validation);

  test('keeps the parameters of the epoch with the best validation', () => {
    expect(whole.bestEpoch).toBe(validations.indexOf(Math.min(...validations)));
    // else there is nothing to keep
    expect(whole.bestEpoch).toBeGreaterThan(0);
    expect(whole.bestEpoch).toBeLessThan(12);
    expect(whole.parameters.flat).toEqual(parameters[whole.bestEpoch - 1]);
    expect(whole.validation).toBe(validations[whole.bestEpoch]);
  });

  test.each([1, 2, 3])('stops after %i epochs without a better one', (patience) => {
    const stopped = train(setUp(dataset, withTraining(wild, { patience })));
    const expected = validations.findIndex(
      (_, epoch) => epoch - validations.indexOf(Math.min(...validations.slice(0, epoch + 1))) >= patience,
    );
    expect(expected).toBeGreaterThan(0);
    expect(expected).toBeLessThan(12);
    expect(learnt(stopped.history)).toEqual(learnt(whole.history.slice(0, expected + 1)));
    expect(stopped.bestEpoch).toBe(expected - patience);
  });

  test('keeps the untrained network when no epoch is better', () => {
    const { parameters: kept, bestEpoch } = train(
      setUp(dataset, { training: { learningRate: 1000, schedule: 'constant', epochs: 1 } }),
    );
    expect(bestEpoch).toBe(0);
    expect(Math.max(...kept.flat)).toBe(1);
  });
});

describe('training that cannot go on', () => {
  const failing = (options: SetupOptions) => () => train(setUp(dataset, options));

  test.each(['mse', 'mae', 'huber'] as const)(
    'stops when the %s loss diverges, and says what to lower',
    (loss) => {
      const training = { loss, learningRate: 1e30, clip: 1e30, epochs: 2 };
      expect(failing({ training })).toThrow(TrainingError);
      expect(failing({ training })).toThrow(
        /^training diverged in epoch 1, update \d+: loss (NaN|Infinity); lower training.learningRate \(now 1e\+30\) or training.clip \(now 1e\+30\)$/,
      );
    },
  );

  // one stream and one chunk of it: a single update, and no loss is left that could show what it broke
  const single = { ...dataset, series: dataset.series.slice(0, 1) };
  const last = { learningRate: 1e38, weightDecay: 10, chunk: 4096, epochs: 1 };

  test('stops when the very last update diverges', () => {
    expect(() => train(setUp(single, { training: last }))).toThrow(
      /diverged in epoch 1, update 1: validation (NaN|Infinity)/,
    );
  });

  test('stops at the last update without any validation truth', () => {
    const options = { steps: 100, training: last };
    const { history } = train(setUp(single, withTraining(options, { learningRate: 0.01 })));
    expect(history.map(({ validation }) => validation)).toEqual([Number.NaN, Number.NaN]);
    expect(() => train(setUp(single, options))).toThrow(
      /diverged in epoch 1, update 1: parameters beyond float32/,
    );
  });

  test('refuses a training part without a single chunk of every phase', () => {
    expect(failing({ phases: 150 })).toThrow(
      'the training part has no chunk of 150 phases; give it more rows or fewer phases',
    );
  });

  test('refuses a segment that is longer than the training part', () => {
    expect(failing({ segment: 145 })).toThrow(
      'the training part has at most 144 frames in a row, a segment has 145; give it more rows or a shorter model.segment',
    );
  });

  test('makes the chunks as short as the training part', () => {
    const { history } = train(setUp(dataset, { training: { chunk: 1000, epochs: 1 } }));
    expect(history[1].timesteps).toBe(2 * 144);
  });
});

test('without validation truths the newest epoch is the best', () => {
  const setup = setUp(dataset, { steps: 100 });
  const { trained, parameters } = trainWatched(setup);
  expect(trained.bestEpoch).toBe(3);
  expect(trained.parameters.flat).toEqual(parameters[2]);
});
