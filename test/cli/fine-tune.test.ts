import { describe, expect, test } from 'vitest';
import { fineTune } from '../../src/cli/fine-tune.ts';
import { float32 } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import type { FloatTensor, QuantizedTensor } from '../../src/model/model.ts';
import { dequantizeMatrix } from '../../src/quantize/matrices.ts';
import { quantizeModel } from '../../src/quantize/quantize-model.ts';
import { createParameters } from '../../src/train/parameters.ts';
import { toModel } from '../../src/train/to-model.ts';
import { trainNetwork, tuneNetwork } from '../../src/train/trainer.ts';
import { setUp } from '../train/setup.ts';
import { dataset } from '../train/training.ts';

describe('fine-tuning for 8 bits', () => {
  const setup = setUp(dataset, { layers: 2, hidden: 6 });
  const { topology, runs, options, description } = setup;
  const trained = trainNetwork(topology, runs, options);
  const tuned = fineTune(setup, options, trained.parameters);

  /** The validation error of the network with U and the upper W as their int8 form says them. */
  function roundedError({ parameters }: typeof trained): number {
    const int8 = quantizeModel(toModel(parameters, topology, description));
    const kernel = createScalarTrainingKernel(float32);
    const rounded = createParameters(kernel, topology, parameters.flat.slice());
    int8.layers.forEach(({ inputWeights, recurrentWeights }, l) => {
      const valuesOf = (tensor: unknown): FloatTensor['values'] =>
        dequantizeMatrix(tensor as QuantizedTensor).values;
      rounded.layers[l].recurrentWeights.set(valuesOf(recurrentWeights));
      if (l > 0) rounded.layers[l].inputWeights.set(valuesOf(inputWeights));
    });
    const still = { ...options, epochs: 1, learningRate: 1e-12, weightDecay: 0 };
    const project: Parameters<typeof tuneNetwork>[3]['project'] = (latent, effective) =>
      effective.flat.set(latent.flat);
    return tuneNetwork(topology, runs, still, { from: rounded.flat, project }).history[0].validation;
  }

  test('starts from what int8 makes of the trained weights, and ends no worse', () => {
    expect(tuned.history).toHaveLength(5);
    expect(tuned.history[0].validation).toBe(roundedError(trained));
    expect(tuned.history[0].validation).not.toBe(trained.validation);
    expect(tuned.validation).toBe(roundedError(tuned));
    expect(tuned.validation).toBeLessThanOrEqual(tuned.history[0].validation);
  });

  test('moves at a tenth of the learning rate', () => {
    const moved = (from: ArrayLike<number>, to: ArrayLike<number>) =>
      Math.max(...Array.from(from, (value, i) => Math.abs(to[i] - value)));
    const steps = (options.learningRate / 10) * 4 * 40;
    expect(tuned.bestEpoch).toBeGreaterThan(0);
    expect(moved(trained.parameters.flat, tuned.parameters.flat)).toBeLessThan(steps);
    expect(moved(trained.parameters.flat, tuned.parameters.flat)).toBeGreaterThan(options.learningRate / 10);
  });

  test('gives the same weights again', () => {
    expect(fineTune(setup, options, trained.parameters).parameters.flat).toEqual(tuned.parameters.flat);
  });
});
