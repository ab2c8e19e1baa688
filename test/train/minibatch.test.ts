import { describe, expect, test } from 'vitest';
import { type Floats, float64 } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import { purpose, uniform } from '../../src/math/random.ts';
import { countKnown } from '../../src/train/answers.ts';
import { type Chunk, drawChunks } from '../../src/train/chunks.ts';
import { createLoss } from '../../src/train/losses.ts';
import { createMinibatch, type MinibatchOptions } from '../../src/train/minibatch.ts';
import { createParameters } from '../../src/train/parameters.ts';
import { createTape } from '../../src/train/tape.ts';
import { syntheticDataset } from '../fixtures/series.ts';
import { prepareStates } from './prepared.ts';
import { type SetupOptions, setUp } from './setup.ts';

const kernel = createScalarTrainingKernel(float64());
const loss = createLoss('mse', kernel.precision);

const dataset = syntheticDataset({ length: 300, streams: ['a', 'b'], season: 6, missing: 0.1 });
const T = 5;

const cases: [string, SetupOptions][] = [
  ['lstm, P = 1', {}],
  ['lstm of 2 layers, P = 3, a bias a stream', { layers: 2, phases: 3, perStream: true }],
  ['gru', { cell: 'gru' }],
  ['lstm, output: last', { segment: T }],
];

function prepare(options: SetupOptions) {
  const setup = setUp(dataset, { hidden: 3, steps: 3, ...options });
  const { topology, runs } = setup;
  const { trainEnds, phases, steps } = setup.options;
  const { network, parameters, states } = prepareStates(kernel, setup);
  states.pass(parameters);
  const answersFrom = setup.options.segment > 0 ? T - 1 : 0;

  function known({ run, first }: Chunk): number {
    let count = 0;
    for (let t = answersFrom; t < T; t++) {
      count += countKnown(runs[run], 1, first + t * phases, { end: trainEnds[run], steps });
    }
    return count;
  }

  // those first whose truths the border hides in part
  const beforeBorder = ({ run, first }: Chunk) => trainEnds[run] - first;
  const chunks = drawChunks(1, { steps: T, phases, seed: 1, ends: trainEnds })
    .filter((chunk) => known(chunk) > 0)
    .sort((left, right) => beforeBorder(left) - beforeBorder(right));

  /** A function that computes minibatches: every array of it lives as long. */
  function minibatch(batch: number, changed: Partial<MinibatchOptions> = {}) {
    const { compute } = createMinibatch(kernel, network, topology, runs, states, loss, {
      ...setup.options,
      ...{
        batch,
        chunk: T,
        answersLast: answersFrom > 0,
        resets: 0,
        dropout: 0,
        ...changed,
      },
    });
    return (rows: readonly Chunk[], update = 0) => {
      const computed = compute(parameters, rows, update);
      return { loss: computed.loss, gradient: Float64Array.from(computed.gradients.flat) };
    };
  }

  return { setup, network, parameters, states, chunks, known, minibatch };
}

function expectSame(found: Floats, expected: Floats): void {
  const size = Math.max(...expected.map(Math.abs));
  expect(size).toBeGreaterThan(1e-3);
  for (let i = 0; i < expected.length; i++)
    expect(Math.abs(found[i] - expected[i])).toBeLessThan(1e-12 * size);
}

describe.each(cases)('a minibatch: %s', (_, options) => {
  const { setup, network, parameters, states, chunks, known, minibatch } = prepare(options);
  const { topology, runs } = setup;

  test.each([1, 3, 8, 11, 32])('of %i rows has the loss and gradient of its rows one by one', (batch) => {
    const rows = chunks.slice(0, batch);
    const total = rows.reduce((sum, chunk) => sum + known(chunk), 0);
    const single = minibatch(1);
    const expected = new Float64Array(parameters.flat.length);
    let expectedLoss = 0;
    for (const chunk of rows) {
      const own = single([chunk]);
      const share = known(chunk) / total;
      for (let i = 0; i < expected.length; i++) expected[i] += share * own.gradient[i];
      expectedLoss += share * own.loss;
    }
    const found = minibatch(batch)(rows);
    expect(found.loss).toBeCloseTo(expectedLoss, 13);
    expectSame(found.gradient, expected);
  });

  test('resets and drops by the row of the minibatch, whatever tape it lies in', () => {
    const batch = 11;
    const update = 6;
    const rows = chunks.slice(0, batch);
    const answersFrom = setup.options.segment > 0 ? T - 1 : 0;
    const tape = createTape(kernel, topology, { rows: batch, steps: T, answersFrom });
    let resets = 0;
    rows.forEach(({ run, first }, r) => {
      const zero = answersFrom > 0 || uniform(1, purpose.resets, update, r, 0) < 0.5;
      if (zero) resets++;
      states.restore(tape, r, run, first, zero);
      for (let t = 0; t < T; t++) {
        const from = (first + t * setup.options.phases) * topology.inputs;
        const input = runs[run].inputs.subarray(from, from + topology.inputs);
        tape.x.set(input, (t * batch + r) * topology.inputs);
        tape.biasRows[t * batch + r] = topology.biases > 1 ? runs[run].series : 0;
      }
    });
    if (answersFrom === 0) expect(resets).toBeGreaterThan(2);
    if (answersFrom === 0) expect(resets).toBeLessThan(9);
    const batchRows = Int32Array.from(rows, (_, r) => r);
    network.forward(parameters, tape, { rate: 0.3, seed: 1, update, batchRows });
    const total = rows.reduce((sum, chunk) => sum + known(chunk), 0);
    writeAllSlopes(tape, rows, total);
    const expected = createParameters(kernel, topology);
    network.backward(parameters, expected, tape);
    const found = minibatch(batch, { resets: 0.5, dropout: 0.3 })(rows, update);
    expectSame(found.gradient, expected.flat);
  });

  /** dL/dy of the mean squared error over the known truths, from the run's own rows. */
  function writeAllSlopes(tape: ReturnType<typeof createTape>, rows: readonly Chunk[], total: number): void {
    const { steps, trainEnds, phases } = setup.options;
    for (let t = tape.answersFrom; t < T; t++) {
      rows.forEach(({ run, first }, r) => {
        const { targets, read } = runs[run];
        const i = first + t * phases;
        for (let s = 1; s <= steps; s++) {
          const at = ((t - tape.answersFrom) * rows.length + r) * steps + s - 1;
          const isKnown = i + s < trainEnds[run] && read[i] === 1 && read[i + s] === 1;
          const error = tape.y[at] - Math.fround(targets[i + s] - targets[i]);
          tape.dy[at] = isKnown ? (2 * error) / total : 0;
        }
      });
    }
  }

  test('has no gradient without known truths', () => {
    const chunk = chunks[0];
    const { read } = runs[chunk.run];
    const before = read.slice();
    read.fill(0);
    const { loss: nothing, gradient } = minibatch(1)([chunk]);
    read.set(before);
    expect(nothing).toBe(0);
    expect(gradient.every((value) => value === 0)).toBe(true);
  });

  test('leaves nothing behind for the next', () => {
    const compute = minibatch(3, { dropout: 0.3, resets: 0.5 });
    const first = compute(chunks.slice(0, 3), 1);
    compute(chunks.slice(3, 6), 2);
    expect(compute(chunks.slice(0, 3), 1)).toEqual(first);
  });
});

describe('truncated backpropagation', () => {
  const { setup, parameters, states, chunks, minibatch } = prepare({ steps: 1 });
  const chunk = chunks.find(({ first }) => first > 50) as Chunk;
  const { inputs, targets } = setup.runs[chunk.run];
  const before = minibatch(1)([chunk]);
  const beforeReset = minibatch(1, { resets: 1 })([chunk]);
  for (let i = 0; i < chunk.first * setup.topology.inputs; i++) inputs[i] = -inputs[i] + 0.1;
  for (let i = 0; i < chunk.first; i++) targets[i] = 7;

  test('sees the data before its chunk through the carried state alone', () => {
    expect(minibatch(1)([chunk])).toEqual(before);
  });

  test('sees that state once a pass has carried it there, unless it was reset', () => {
    states.pass(parameters);
    expect(minibatch(1)([chunk]).gradient).not.toEqual(before.gradient);
    expect(minibatch(1, { resets: 1 })([chunk])).toEqual(beforeReset);
    expect(before.gradient).not.toEqual(beforeReset.gradient);
  });
});
