import { describe, expect, test } from 'vitest';
import { createModel, type ModelShape } from '../fixtures/random-model.ts';
import { designStep } from './design-step.ts';
import { kernels, openKernel, randomInputs, stateOf, stepOne } from './kernels.ts';

const shapes: readonly [string, Partial<ModelShape>][] = [
  ['int8', { weights: 'int8' }],
  ['int8 on plain values', { weights: 'int8', lags: [], averages: [], plain: true, plainOutput: true }],
  ['int8 of one unit', { weights: 'int8', hidden: 1 }],
  ['wide int8', { weights: 'wide', hidden: 9 }],
  ['int8 of three layers with channels', { weights: 'int8', layers: 3, channels: ['LGA', 'JFK'] }],
  ['wide int8 of two layers', { weights: 'wide', layers: 2, hidden: 8 }],
  ['int8 of four layers, every other wide', { weights: 'mixed', layers: 4, hidden: 8 }],
  [
    'int8 polyphase with a mask',
    { weights: 'int8', phases: 3, lags: [1, 2, 3], averages: [3, 21], mask: true },
  ],
  [
    'int8 with a highway of own values and quantiles',
    { weights: 'int8', highway: 'own', targets: [0, 1], quantiles: [0.1, 0.5, 0.9] },
  ],
  [
    'int8 with a highway a channel of all features',
    { weights: 'int8', highway: 'all', groups: 'each', channels: ['LGA'], targets: [1] },
  ],
];

describe.each(kernels)('%s kernel', (_, create) => {
  test.each(shapes)('steps %s to the bits of DESIGN section 3, written out again', (_name, shape) => {
    const model = createModel({ ...shape, seed: 11 });
    const kernel = openKernel(create, model);
    const { phases } = model.architecture;
    const phaseFloats = kernel.stateSize / phases;
    randomInputs(150, kernel.inputSize).forEach((input, t) => {
      const phase = t % phases;
      const channel = t % (1 + model.input.channels.length);
      const before = stateOf(kernel).slice(phase * phaseFloats, (phase + 1) * phaseFloats);
      const expected = designStep(model, before, [...input], channel);
      const outputs = stepOne(kernel, input, { phase, channel });
      expect([...outputs]).toEqual(expected.outputs);
      expect([...stateOf(kernel).subarray(phase * phaseFloats, (phase + 1) * phaseFloats)]).toEqual(
        expected.state,
      );
    });
  });
});
