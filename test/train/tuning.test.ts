import { describe, expect, test } from 'vitest';
import { float32 } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import { hasSimd } from '../../src/kernels/training-simd.ts';
import { createParameters, initializeParameters, type Parameters } from '../../src/train/parameters.ts';
import { type Tuning, trainNetwork, tuneNetwork } from '../../src/train/trainer.ts';
import { initializeWidths } from '../../src/train/widths.ts';
import { setUp } from './setup.ts';
import { bundleWorker } from './team-worker.ts';
import { dataset, learnt, setups } from './training.ts';

const worker = await bundleWorker();

const same: Tuning['project'] = (latent, effective) => effective.flat.set(latent.flat);

/** To a grid of 1/8: as coarse as 4 bits. */
const coarse: Tuning['project'] = (latent, effective) => {
  effective.flat.set(latent.flat);
  effective.layers.forEach(({ recurrentWeights }, l) => {
    recurrentWeights.set(latent.layers[l].recurrentWeights.map((w) => Math.round(8 * w) / 8));
  });
};

function initial({ topology, options, runs }: ReturnType<typeof setUp>): Parameters {
  const parameters = createParameters(createScalarTrainingKernel(float32), topology);
  initializeParameters(parameters, topology, options.seed);
  initializeWidths(parameters, topology, runs, options);
  return parameters;
}

describe('training on from given parameters', () => {
  test.each(setups)(
    'is the training itself where they are its first and stay as they are: %s',
    (_, options) => {
      const setup = setUp(dataset, options);
      const tuning = { from: initial(setup).flat, project: same };
      const tuned = tuneNetwork(setup.topology, setup.runs, setup.options, tuning);
      const trained = trainNetwork(setup.topology, setup.runs, setup.options);
      expect(learnt(tuned.history)).toEqual(learnt(trained.history));
      expect(tuned.parameters.flat).toEqual(trained.parameters.flat);
    },
  );
});

describe('training with rounded weights', () => {
  const setup = setUp(dataset, { hidden: 6, training: { epochs: 6, patience: 6 } });
  const { topology, runs, options } = setup;
  const from = initial(setup).flat;
  const tuned = tuneNetwork(topology, runs, options, { from, project: coarse });

  test('scores the rounded network, in every pass', () => {
    const scoreOf = (flat: Tuning['from']) => {
      const rounded = createParameters(createScalarTrainingKernel(float32), topology);
      coarse(createParameters(createScalarTrainingKernel(float32), topology, flat), rounded);
      const still = { ...options, epochs: 1, learningRate: 1e-12, weightDecay: 0 };
      return tuneNetwork(topology, runs, still, { from: rounded.flat, project: same }).history[0].validation;
    };
    expect(tuned.history[0].validation).toBe(scoreOf(from));
    expect(tuned.bestEpoch).toBeGreaterThan(0);
    expect(tuned.validation).toBe(scoreOf(tuned.parameters.flat));
  });

  test('moves the weights that were rounded, and they stay between the grid', () => {
    const [{ recurrentWeights }] = tuned.parameters.layers;
    const before = createParameters(createScalarTrainingKernel(float32), topology, from).layers[0];
    expect(recurrentWeights).not.toEqual(before.recurrentWeights);
    expect(recurrentWeights.some((w) => Math.round(8 * w) / 8 !== w)).toBe(true);
  });

  test.skipIf(!hasSimd()).each([
    ['SIMD', { kernel: 'simd', threads: 1 }],
    ['SIMD on 2 threads', { kernel: 'simd', threads: 2, worker }],
  ] as const)('gives the bits of the scalar kernel with %s', (_, machine) => {
    const tuning = { from, project: coarse };
    const scalar = tuneNetwork(topology, runs, options, tuning, { kernel: 'scalar' });
    const fast = tuneNetwork(topology, runs, options, tuning, machine);
    expect(Float32Array.from(fast.parameters.flat)).toEqual(Float32Array.from(scalar.parameters.flat));
    expect(fast.history).toEqual(scalar.history);
  });
});
