import { describe, expect, test } from 'vitest';
import { float32 } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import { joinedTopology, joinNetworks } from '../../src/train/ensemble.ts';
import { createParameters } from '../../src/train/parameters.ts';
import { syntheticDataset } from '../fixtures/series.ts';
import { fillNumbers } from './nets.ts';
import { type SetupOptions, setUp } from './setup.ts';
import { forwardRun } from './whole-run.ts';

const kernel = createScalarTrainingKernel(float32);
const dataset = syntheticDataset({ length: 120, streams: ['a', 'b'], features: ['x', 'y'] });

const cases: [string, SetupOptions][] = [
  ['lstm, P = 3', { cell: 'lstm', phases: 3 }],
  ['lstm of 3 layers', { cell: 'lstm', layers: 3 }],
  ['lstm, a bias a stream', { cell: 'lstm', perStream: true }],
  ['gru of 2 layers', { cell: 'gru', layers: 2 }],
  ['rnn of 2 layers', { cell: 'rnn', layers: 2 }],
  ['feedforward of 2 layers', { cell: 'feedforward', layers: 2, lags: [1, 2, 3] }],
];

describe.each(cases)('networks joined into one: %s', (_, options) => {
  const setup = setUp(dataset, { hidden: 5, steps: 3, targets: [1, 0], ...options });

  test('answer the mean of what each of them answers', () => {
    const members = [1, 2, 3].map((seed) => {
      const parameters = createParameters(kernel, setup.topology);
      fillNumbers(parameters.flat, seed, 0.6);
      return parameters;
    });
    const topology = joinedTopology(setup.topology, members.length);
    const joined = createParameters(kernel, topology);
    joinNetworks(members, setup.topology, joined);
    for (const run of setup.runs) {
      const answers = members.map((parameters) => forwardRun(kernel, setup, parameters, run).y);
      const { y } = forwardRun(kernel, { ...setup, topology }, joined, run);
      const size = run.length * setup.topology.outputs;
      let spread = 0;
      for (let i = 0; i < size; i++) {
        const [a, b, c] = answers.map((own) => own[i]);
        spread = Math.max(spread, Math.abs(a - b));
        expect(Math.abs(y[i] - (a + b + c) / 3)).toBeLessThan(2e-6);
      }
      // members that agree would prove nothing
      expect(spread).toBeGreaterThan(0.5);
    }
  });
});
