import { describe, expect, test } from 'vitest';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { countParameters } from '../../src/train/parameters.ts';
import type { EpochReport } from '../../src/train/trainer.ts';
import { setUp } from './setup.ts';
import { dataset, learnt, setups, train, trainWatched, withTraining } from './training.ts';

describe.each(setups)('training %s', (_, options) => {
  test('gives the same bits for the same seed, and others for another', () => {
    const [first, again, other] = [1, 1, 2].map((seed) =>
      train(setUp(dataset, withTraining(options, { seed }))),
    );
    expect(again.parameters.flat).toEqual(first.parameters.flat);
    expect(again.history).toEqual(first.history);
    expect(other.parameters.flat).not.toEqual(first.parameters.flat);
  });

  test('resumed from a checkpoint of any epoch gives the bits of a run in one piece', () => {
    const setup = setUp(dataset, options);
    const texts: string[] = [];
    const whole = train(setup, {
      onEpoch: (_, checkpoint) => texts.push(encodeCheckpoint(checkpoint, 'id')),
    });
    expect(texts).toHaveLength(setup.options.epochs);
    for (const text of texts) {
      const resumed = train(setup, {}, decodeCheckpoint(text, 'id', countParameters(setup.topology)));
      expect(resumed.parameters.flat).toEqual(whole.parameters.flat);
      expect(learnt(resumed.history)).toEqual(learnt(whole.history));
      expect(resumed.bestEpoch).toBe(whole.bestEpoch);
    }
  });
});

describe('training stopped by a kill', () => {
  test('leaves the checkpoint of the epoch before, from which the last parameters follow too', () => {
    const setup = setUp(dataset, { training: { epochs: 4 } });
    const { parameters } = trainWatched(setup);
    let text = '';
    const kill = {
      onEpoch: ({ epoch }: EpochReport, checkpoint: Checkpoint) => {
        if (epoch === 3) throw new Error('killed');
        text = encodeCheckpoint(checkpoint, 'id');
      },
    };
    expect(() => train(setup, kill)).toThrow('killed');
    let last: ArrayLike<number> = [];
    const keepLast = { onEpoch: (_: EpochReport, now: Checkpoint) => (last = now.parameters.slice()) };
    train(setup, keepLast, decodeCheckpoint(text, 'id', countParameters(setup.topology)));
    expect(last).toEqual(parameters[3]);
  });
});

describe('what the training part may not see', () => {
  /** The dataset with all values from a slot on replaced. */
  function changedFrom(slot: number) {
    const series = dataset.series.map((one) => {
      const values = one.values.map((value, row) => (one.firstSlot + row >= slot ? -3 * value + 7 : value));
      return { ...one, values };
    });
    return { ...dataset, series };
  }

  test.each(setups)('values behind its border never reach the parameters: %s', (_, options) => {
    const setup = setUp(dataset, options);
    const { trained, parameters } = trainWatched(setup);
    const changed = trainWatched(setUp(changedFrom(setup.split.trainEnd), options));
    expect(changed.parameters).toEqual(parameters);
    expect(changed.trained.history[0].validation).not.toBe(trained.history[0].validation);
    // the last value before the border does: it is a target
    expect(trainWatched(setUp(changedFrom(setup.split.trainEnd - 1), options)).parameters).not.toEqual(
      parameters,
    );
  });

  test('values of the test part reach nothing, not even the choice of the epoch', () => {
    const setup = setUp(dataset, {});
    const changed = train(setUp(changedFrom(setup.split.validationEnd), {}));
    expect(changed).toEqual(train(setup));
    expect(train(setUp(changedFrom(setup.split.validationEnd - 1), {})).history).not.toEqual(changed.history);
  });
});

test('progress is told of every update and every epoch', () => {
  const shares: number[] = [];
  const steps: number[] = [];
  const epochs: number[] = [];
  const setup = setUp(dataset, {});
  const { history } = train(setup, {
    onUpdate: ({ share, timesteps }) => {
      shares.push(share);
      steps.push(timesteps);
    },
    onEpoch: ({ epoch }) => epochs.push(epoch),
  });
  expect(epochs).toEqual([1, 2, 3]);
  expect(shares[0]).toBe(0);
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
  expect(shares.at(-1)).toBeGreaterThan(0.8);
  expect(shares.at(-1)).toBeLessThan(1);
  // 8 chunks of 7 steps an update
  expect(steps).toEqual(steps.map((_, i) => (i + 1) * 8 * 7));
  expect(history.at(-1)?.timesteps).toBe(steps.at(-1));
});
