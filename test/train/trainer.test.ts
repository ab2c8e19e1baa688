import { describe, expect, test } from 'vitest';
import { float32 } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import { increment } from '../../src/train/answers.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { drawChunks, fewestChunks } from '../../src/train/chunks.ts';
import { createNetwork } from '../../src/train/network.ts';
import { countParameters } from '../../src/train/parameters.ts';
import { createTape } from '../../src/train/tape.ts';
import type { EpochReport } from '../../src/train/trainer.ts';
import { setUp } from './setup.ts';
import { dataset, learnt, setups, train, trainWatched, withTraining } from './training.ts';

const kernel = createScalarTrainingKernel(float32);

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

test('the seed reaches the chunks too: without dropout and resets the same start goes on otherwise', () => {
  const start = setUp(dataset, { training: { epochs: 1 } });
  let text = '';
  train(start, { onEpoch: (_, checkpoint) => (text = encodeCheckpoint(checkpoint, 'id')) });
  const checkpoint = decodeCheckpoint(text, 'id', countParameters(start.topology));
  const [first, again, other] = [1, 1, 2].map((seed) => {
    const setup = setUp(dataset, { training: { epochs: 2, resets: 0, dropout: 0, seed } });
    return train(setup, {}, checkpoint).history;
  });
  expect(again).toEqual(first);
  expect(other[2].loss).not.toBe(first[2].loss);
});

test('output: last learns from the last answer of a segment from a zero state alone', () => {
  const segment = 6;
  const training = {
    loss: 'mse',
    learningRate: 0,
    weightDecay: 0,
    epochs: 1,
    batch: 4096,
    dropout: 0,
  } as const;
  const setup = setUp(dataset, { segment, training });
  const { parameters, history } = train(setup);
  const { topology, runs, options } = setup;
  const { trainEnds, steps } = options;
  const drawing = { steps: segment, phases: 1, seed: 1, ends: trainEnds };
  const tape = createTape(kernel, topology, { rows: 1, steps: segment });
  // eight minibatches an epoch at least, of equal weight
  const rows = Math.floor(fewestChunks(drawing) / 8);
  const chunks = drawChunks(1, drawing);
  const updates = Math.floor(chunks.length / rows);
  const sums = Array.from({ length: updates }, () => ({ squares: 0, count: 0 }));
  chunks.slice(0, updates * rows).forEach(({ run, first }, chunk) => {
    const sum = sums[Math.floor(chunk / rows)];
    const from = first * topology.inputs;
    tape.x.set(runs[run].inputs.subarray(from, from + segment * topology.inputs));
    createNetwork(kernel, topology).forward(parameters, tape);
    for (let s = 1; s <= steps; s++) {
      const truth = increment(runs[run], 1, first + segment - 1, 0, s, trainEnds[run]);
      if (Number.isNaN(truth)) continue;
      sum.squares += (tape.y[(segment - 1) * topology.outputs + s - 1] - truth) ** 2;
      sum.count++;
    }
  });
  const losses = sums.map(({ squares, count }) => squares / count);
  expect(history[1].loss).toBeCloseTo(losses.reduce((total, loss) => total + loss, 0) / updates, 6);
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
  const losses: number[] = [];
  const setup = setUp(dataset, {});
  const { history } = train(setup, {
    onUpdate: ({ epoch, share, timesteps, loss }) => {
      losses[epoch] = loss;
      shares.push(share);
      steps.push(timesteps);
    },
    onEpoch: ({ epoch }) => epochs.push(epoch),
  });
  expect(epochs).toEqual([1, 2, 3]);
  expect(shares[0]).toBeGreaterThan(0);
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
  expect(shares.at(-1)).toBe(1);
  // 4 chunks of 7 steps an update: an epoch has 32 chunks at least, and 8 updates
  expect(steps).toEqual(steps.map((_, i) => (i + 1) * 4 * 7));
  expect(history.at(-1)?.timesteps).toBe(steps.at(-1));
  // the running mean of an epoch ends as its loss
  expect(history.slice(1).map(({ loss }) => loss)).toEqual(losses.slice(1));
});

test('what the network is trained beside counts in every answer, of a minibatch and of validation', () => {
  const setup = setUp(dataset, { steps: 3, training: { loss: 'mae', learningRate: 0, epochs: 1 } });
  const runs = setup.runs.map((run) => ({ ...run, base: new Float32Array(run.length * 3).fill(100) }));
  const [start, end] = train({ ...setup, runs }).history;
  expect(Math.abs(end.loss - 100)).toBeLessThan(5);
  expect(Math.abs(start.validation - 100 ** 2)).toBeLessThan(1000);
});

test('a last epoch ends training on the way of the learning rate to all of them', () => {
  const whole = setUp(dataset, { training: { epochs: 4 } });
  // no validation is left, as when it is trained on: the newest parameters are the result
  const known = { ...whole.options, trainEnds: whole.options.validationEnds };
  const { parameters } = trainWatched({ ...whole, options: known });
  const cut = train({ ...whole, options: { ...known, lastEpoch: 2 } });
  expect(cut.parameters.flat).toEqual(parameters[1]);
  expect(cut.history).toHaveLength(3);
});

test('beside a highway the untrained network says nothing', () => {
  const setup = setUp(dataset, { steps: 3, training: { epochs: 1 } });
  const runs = setup.runs.map((run) => ({ ...run, base: new Float32Array(run.length * 3) }));
  const [{ validation }] = train({ ...setup, runs }).history;
  let squares = 0;
  let count = 0;
  runs.forEach((run, r) => {
    const end = setup.options.validationEnds[r];
    for (let i = Math.max(0, setup.options.trainEnds[r] - 1); i + 3 < end; i++) {
      for (const truth of [1, 2, 3].map((s) => increment(run, 1, i, 0, s, end))) {
        if (Number.isNaN(truth)) continue;
        squares += truth * truth;
        count++;
      }
    }
  });
  expect(validation).toBeCloseTo(squares / count, 10);
});
