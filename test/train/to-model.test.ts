import { describe, expect, test } from 'vitest';
import { float32 } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import { createParameters } from '../../src/train/parameters.ts';
import { toModel } from '../../src/train/to-model.ts';
import { fillNumbers } from './nets.ts';
import { type SetupOptions, setUp } from './setup.ts';
import { dataset } from './training.ts';

const kernel = createScalarTrainingKernel(float32);
const [H, I, O] = [4, 3, 2];

function convert(options: SetupOptions) {
  const { topology, description } = setUp(dataset, { hidden: H, lags: [1, 2, 3], ...options });
  const parameters = createParameters(kernel, topology);
  fillNumbers(parameters.flat, 1);
  return { parameters, model: toModel(parameters, topology, description) };
}

describe('a model of trained parameters', () => {
  test.each([
    ['lstm', 4],
    ['gru', 3],
    ['rnn', 1],
  ] as const)('has the matrices of two %s layers in their shapes', (cell, gates) => {
    const { parameters, model } = convert({ cell, layers: 2 });
    const G = gates * H;
    model.layers.forEach((layer, l) => {
      const { inputWeights, recurrentWeights, bias, recurrentBias } = parameters.layers[l];
      const kind = 'float32';
      expect(layer).toEqual({
        inputWeights: { kind, shape: [G, l === 0 ? I : H], values: inputWeights },
        recurrentWeights: { kind, shape: [G, H], values: recurrentWeights },
        bias: { kind, shape: [1, G], values: bias },
        ...(cell === 'gru' && { recurrentBias: { kind, shape: [H], values: recurrentBias } }),
        inputLimit: 0,
        hiddenLimit: 0,
      });
    });
    expect(model.head).toEqual({
      weights: { kind: 'float32', shape: [O, H], values: parameters.headWeights },
      bias: { kind: 'float32', shape: [O], values: parameters.headBias },
      skip: { kind: 'float32', shape: [O, I], values: parameters.skip },
    });
  });

  test('has no recurrent matrix in a feedforward layer', () => {
    expect(convert({ cell: 'feedforward' }).model.layers[0]).not.toHaveProperty('recurrentWeights');
  });

  test('gives unknown streams the mean of the biases of the known ones', () => {
    const { parameters, model } = convert({ perStream: true, layers: 2 });
    const { bias } = parameters.layers[0];
    const { shape, values } = model.layers[0].bias;
    expect(shape).toEqual([3, 4 * H]);
    expect(values.subarray(4 * H)).toEqual(bias);
    expect([...values.subarray(0, 4 * H)]).toEqual(
      Array.from({ length: 4 * H }, (_, j) => Math.fround((bias[j] + bias[4 * H + j]) / 2)),
    );
    expect(model.layers[1].bias.shape).toEqual([1, 4 * H]);
  });

  test('is a copy: training on changes nothing in it', () => {
    const { parameters, model } = convert({});
    const before = structuredClone(model.layers);
    parameters.flat.fill(0);
    expect(model.layers).toEqual(before);
  });
});
