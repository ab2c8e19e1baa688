import { describe, expect, test } from 'vitest';
import { float32 } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import { type Chunk, drawChunks } from '../../src/train/chunks.ts';
import { createLoss } from '../../src/train/losses.ts';
import { createMinibatch } from '../../src/train/minibatch.ts';
import { createParameters } from '../../src/train/parameters.ts';
import { createTape } from '../../src/train/tape.ts';
import { syntheticDataset } from '../fixtures/series.ts';
import { prepareStates } from './prepared.ts';
import { setUp } from './setup.ts';

const kernel = createScalarTrainingKernel(float32);
const T = 5;
const setup = setUp(syntheticDataset({ length: 300, streams: ['a', 'b'], season: 6 }), {
  layers: 2,
  phases: 2,
});
const { topology, runs } = setup;
const { trainEnds, phases, steps } = setup.options;
const { network, parameters, states } = prepareStates(kernel, setup);
states.pass(parameters);
const chunks = drawChunks(1, { steps: T, phases, seed: 1, ends: trainEnds });

/** The gradient of the rows r, r + 8, ... of a minibatch, as one worker would compute it. */
function shardGradient(rows: readonly Chunk[], shard: number): Float32Array {
  const own = rows.filter((_, r) => r % 8 === shard);
  const tape = createTape(kernel, topology, { rows: own.length, steps: T });
  own.forEach(({ run, first }, r) => {
    states.restore(tape, r, run, first, false);
    for (let t = 0; t < T; t++) {
      const from = (first + t * phases) * topology.inputs;
      const input = runs[run].inputs.subarray(from, from + topology.inputs);
      tape.x.set(input, (t * own.length + r) * topology.inputs);
    }
  });
  network.forward(parameters, tape);
  const f = Math.fround;
  // no value of this data is missing: only the border hides truths
  const known = rows.reduce((sum, { run, first }) => {
    for (let t = 0; t < T; t++) sum += Math.min(steps, trainEnds[run] - 1 - (first + t * phases));
    return sum;
  }, 0);
  for (let t = 0; t < T; t++) {
    own.forEach(({ run, first }, r) => {
      const { targets } = runs[run];
      const i = first + t * phases;
      for (let s = 1; s <= steps; s++) {
        const at = (t * own.length + r) * steps + s - 1;
        const error = f(tape.y[at] - f(targets[i + s] - targets[i]));
        if (i + s < trainEnds[run]) tape.dy[at] = f(f(1 / known) * f(2 * error));
      }
    });
  }
  const gradients = createParameters(kernel, topology);
  network.backward(parameters, gradients, tape);
  return Float32Array.from(gradients.flat);
}

const sum = (left: Float32Array, right: Float32Array | undefined) =>
  right === undefined ? left : left.map((value, i) => value + right[i]);

describe('the gradient of a minibatch has the bits of eight shards, whoever computes them', () => {
  test.each([1, 3, 8, 11, 32])('with %i rows', (batch) => {
    const rows = chunks.slice(0, batch);
    const shards = Array.from({ length: Math.min(8, batch) }, (_, s) => shardGradient(rows, s));
    // ((0+1)+(2+3))+((4+5)+(6+7))
    const pairs = [0, 2, 4, 6].filter((s) => s < shards.length).map((s) => sum(shards[s], shards[s + 1]));
    const halves = [0, 2].filter((s) => s < pairs.length).map((s) => sum(pairs[s], pairs[s + 1]));
    const { compute } = createMinibatch(
      kernel,
      network,
      topology,
      runs,
      states,
      createLoss('mse', kernel.precision),
      {
        ...setup.options,
        ...{ batch, chunk: T, answersLast: false, resets: 0, dropout: 0 },
      },
    );
    expect(compute(parameters, rows, 0).gradients.flat).toEqual(sum(halves[0], halves[1]));
  });
});
