import { describe, expect, test } from 'vitest';
import { float32 } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import {
  countParameters,
  createParameters,
  initializeParameters,
  type Topology,
} from '../../src/train/parameters.ts';
import { cells } from './nets.ts';

const kernel = createScalarTrainingKernel(float32);
const [H, I, O] = [4, 3, 5];
const head = O * (H + 1 + I);

function topologyOf(sizes: Partial<Topology>): Topology {
  return { cell: 'lstm', layers: 1, hidden: H, inputs: I, outputs: O, biases: 1, ...sizes };
}

describe('the number of parameters', () => {
  test.each([
    ['lstm', 4 * (H * I + H * H + H)],
    ['gru', 3 * (H * I + H * H + H) + H],
    ['rnn', H * I + H * H + H],
    ['feedforward', H * I + H],
  ] as const)('of one %s layer and its head is that of the equations', (cell, expected) => {
    expect(countParameters(topologyOf({ cell }))).toBe(expected + head);
  });

  test('grows by a layer on the hidden state below, and by a bias a channel', () => {
    const one = countParameters(topologyOf({}));
    expect(countParameters(topologyOf({ layers: 3 }))).toBe(one + 2 * 4 * (2 * H * H + H));
    expect(countParameters(topologyOf({ biases: 7 }))).toBe(one + 6 * 4 * H);
  });
});

test.each(cells)('the names of a %s network cover its flat array once', (cell) => {
  const parameters = createParameters(kernel, topologyOf({ cell, layers: 2, biases: 3 }));
  const views = [
    ...parameters.layers.flatMap((layer) => Object.values(layer)),
    parameters.headWeights,
    parameters.headBias,
    parameters.skip,
  ];
  views.forEach((view) => {
    for (let i = 0; i < view.length; i++) view[i]++;
  });
  expect(parameters.flat).toEqual(new Float32Array(parameters.flat.length).fill(1));
});

describe('a new network', () => {
  function initialized(sizes: Partial<Topology>, seed = 1) {
    const topology = topologyOf(sizes);
    const parameters = createParameters(kernel, topology);
    initializeParameters(parameters, topology, seed);
    return parameters;
  }

  test('has weights spread over 1/sqrt(H), a smaller head and no skip', () => {
    const { layers, headWeights, headBias, skip } = initialized({ hidden: 64, layers: 2 });
    for (const { inputWeights, recurrentWeights } of layers) {
      for (const weights of [inputWeights, recurrentWeights]) {
        expect(Math.max(...weights)).toBeLessThan(1 / 8);
        expect(Math.max(...weights)).toBeGreaterThan(0.95 / 8);
        expect(Math.min(...weights)).toBeGreaterThanOrEqual(-1 / 8);
        expect(Math.min(...weights)).toBeLessThan(-0.95 / 8);
        const mean = Array.from(weights).reduce((sum, weight) => sum + weight, 0) / weights.length;
        expect(Math.abs(mean)).toBeLessThan(0.01);
      }
    }
    expect(Math.max(...headWeights.map(Math.abs))).toBeLessThan(0.1 / 8);
    expect([...headBias, ...skip].every((value) => value === 0)).toBe(true);
  });

  test('keeps what its cells saw: forget gates start open, for every channel and layer', () => {
    const { layers } = initialized({ layers: 2, biases: 3 });
    const bias = [...new Array(H).fill(0), ...new Array(H).fill(1), ...new Array(2 * H).fill(0)];
    expect([...layers[0].bias]).toEqual([...bias, ...bias, ...bias]);
    expect([...layers[1].bias]).toEqual(bias);
  });

  test.each(['gru', 'rnn', 'feedforward'] as const)('of %s cells has no bias', (cell) => {
    const { bias, recurrentBias } = initialized({ cell }).layers[0];
    expect([...bias, ...recurrentBias].every((value) => value === 0)).toBe(true);
  });

  test('follows from the seed, and no two matrices are alike', () => {
    expect(initialized({}).flat).toEqual(initialized({}).flat);
    expect(initialized({}, 2).flat).not.toEqual(initialized({}).flat);
    const { layers } = initialized({ inputs: H, layers: 2 });
    expect(layers[0].inputWeights).not.toEqual(layers[0].recurrentWeights);
    expect(layers[0].inputWeights).not.toEqual(layers[1].inputWeights);
  });
});
