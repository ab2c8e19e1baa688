import { describe, expect, test } from 'vitest';
import { DataError } from '../../src/data/data-error.ts';
import { float32 } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import { multiplyTransposed } from '../../src/math/dense.ts';
import { drawChunks, fewestChunks } from '../../src/train/chunks.ts';
import { measureGradientFlow } from '../../src/train/gradient-flow.ts';
import { createParameters, initializeParameters, type Parameters } from '../../src/train/parameters.ts';
import { type Cell, cells } from '../cell/cells.ts';
import { syntheticDataset } from '../fixtures/series.ts';
import { fillNumbers } from './nets.ts';
import { type Setup, type SetupOptions, setUp } from './setup.ts';

const kernel = createScalarTrainingKernel(float32);
const H = 3;
const STEPS = 12;

function prepare(options: SetupOptions, length = 120): Setup {
  return setUp(syntheticDataset({ length, streams: ['a', 'b'] }), { hidden: H, ...options });
}

function measure({ topology, runs, options }: Setup, parameters: Parameters, steps = STEPS): number[] {
  const { phases, trainEnds } = options;
  return measureGradientFlow(topology, parameters, runs, { steps, phases, seed: 1, trainEnds });
}

/** dL/dh_t of one chunk, squared and summed, t ascending, from the reference cell: what backpropagation over the steps
 * behind t leaves at h_t. L is the mean of all last answers. */
function referenceSquares(
  cell: Cell,
  { parameters, series }: { parameters: Parameters; series: number },
  inputs: Float32Array[],
  answers: number,
) {
  const [layer] = parameters.layers;
  const rows = layer.recurrentWeights.length / H;
  const weights = { ...layer, bias: layer.bias.subarray(series * rows, (series + 1) * rows) };
  const tape = cell.forward(weights, cell.zeroState(H), inputs);
  const onAnswers = new Float64Array(parameters.headBias.length).fill(1 / answers);
  const onLast = multiplyTransposed(parameters.headWeights, onAnswers);
  return inputs.map((_, t) => {
    const rest = tape.slice(t + 1);
    const onHidden = rest.map((_, k) => (k === rest.length - 1 ? onLast : new Float64Array(H)));
    const dh = rest.length === 0 ? onLast : cell.backward(weights, rest, onHidden).initialState.hiddenState;
    return Array.from(dh).reduce((sum, value) => sum + value ** 2, 0);
  });
}

describe.each(cells)('the gradient norm of the $name cell', (cell) => {
  test.each([
    { phases: 1, perStream: true },
    { phases: 3, perStream: false },
  ])('is that of the reference cell over the same chunks, newest first: $phases phases', (options) => {
    expectReference(prepare({ cell: cell.name, ...options }));
  });

  function expectReference(setup: Setup): void {
    const { topology, runs, options } = setup;
    const { phases } = options;
    const parameters = createParameters(kernel, topology);
    fillNumbers(parameters.flat, 3, 0.7);
    const drawing = { steps: STEPS, phases, seed: 1, ends: options.trainEnds };
    const rows = fewestChunks(drawing);
    const squares = new Float64Array(STEPS);
    for (const { run, first } of drawChunks(1, drawing).slice(0, rows)) {
      const inputs = Array.from({ length: STEPS }, (_, t) => {
        const from = (first + t * phases) * topology.inputs;
        return runs[run].inputs.slice(from, from + topology.inputs);
      });
      const series = topology.biases > 1 ? runs[run].series : 0;
      const own = referenceSquares(cell, { parameters, series }, inputs, rows * topology.outputs);
      own.forEach((square, t) => {
        squares[t] += square;
      });
    }
    const norms = measure(setup, parameters);
    expect(norms).toHaveLength(STEPS);
    norms.forEach((norm, back) => {
      const expected = Math.sqrt(squares[STEPS - 1 - back]);
      expect(Math.abs(norm - expected)).toBeLessThan(1e-4 * expected);
    });
  }
});

/** The factor by which a norm changes a step, k steps back. */
const factors = (norms: readonly number[]) => norms.slice(1).map((norm, k) => norm / norms[k]);

describe('back in time', () => {
  /** h' = tanh(W x + gain h): the Jacobian is at most the gain. */
  function rnnNorms(gain: number, steps: number): number[] {
    const setup = prepare({ cell: 'rnn' });
    const parameters = createParameters(kernel, setup.topology);
    const [{ inputWeights, recurrentWeights }] = parameters.layers;
    inputWeights.fill(1e-3);
    for (let j = 0; j < H; j++) recurrentWeights[j * H + j] = gain;
    parameters.headWeights.fill(1);
    return measure(setup, parameters, steps);
  }

  test('the gradient of a plain cell with small weights vanishes exponentially', () => {
    for (const factor of factors(rnnNorms(0.5, 30))) expect(factor).toBeCloseTo(0.5, 3);
  });

  test('that of one with large weights explodes', () => {
    for (const factor of factors(rnnNorms(1.2, 12))) {
      expect(factor).toBeGreaterThan(1.15);
      expect(factor).toBeLessThan(1.2001);
    }
  });

  test('that of an LSTM lasts as long as its forget gate stays open', () => {
    const setup = prepare({ cell: 'lstm' });
    const parameters = createParameters(kernel, setup.topology);
    const decay = [0, 2, 6].map((forget) => {
      initializeParameters(parameters, setup.topology, 1);
      const [{ bias, recurrentWeights }] = parameters.layers;
      recurrentWeights.forEach((_, i) => {
        recurrentWeights[i] *= 0.1;
      });
      bias.fill(forget, H, 2 * H);
      const norms = measure(setup, parameters, 25);
      return norms[24] / norms[1];
    });
    // sigma(0)^23, sigma(2)^23 and sigma(6)^23 are 1e-7, 0.05 and 0.94
    expect(decay[0]).toBeLessThan(1e-5);
    expect(decay[1]).toBeGreaterThan(1e-2);
    expect(decay[1]).toBeLessThan(0.3);
    expect(decay[2]).toBeGreaterThan(0.5);
  });
});

test('of several layers the gradient at the top one is measured', () => {
  const setup = prepare({ cell: 'rnn', layers: 2 });
  const parameters = createParameters(kernel, setup.topology);
  fillNumbers(parameters.flat, 3, 0.5);
  const before = measure(setup, parameters);
  // what goes down to the layer below is no part of it
  parameters.layers[0].recurrentWeights.fill(0);
  expect(measure(setup, parameters)[0]).toBe(before[0]);
  parameters.headWeights.forEach((_, i) => {
    parameters.headWeights[i] *= 2;
  });
  expect(measure(setup, parameters)[0]).toBeCloseTo(2 * before[0], 5);
});

describe('data that is short', () => {
  const zeros = ({ topology }: Setup) => createParameters(kernel, topology);

  test('is looked back on as far as it reaches', () => {
    const setup = prepare({ cell: 'lstm' });
    expect(measure(setup, zeros(setup), 1000)).toHaveLength(72);
  });

  test('is refused when it has not even two steps of a phase', () => {
    const setup = prepare({ cell: 'lstm', phases: 40 });
    expect(() => measure(setup, zeros(setup))).toThrow(
      new DataError('the training part is shorter than 2 steps of 40 phases; give it more rows'),
    );
  });
});
