import { describe, expect, test } from 'vitest';
import { hasSimd } from '../../src/kernels/training-simd.ts';
import type { MachineOptions } from '../../src/train/machine.ts';
import { trainNetwork } from '../../src/train/trainer.ts';
import { setUp } from './setup.ts';
import { bundleWorker } from './team-worker.ts';
import { dataset, setups } from './training.ts';

const worker = await bundleWorker();

const fast: [string, MachineOptions][] = [
  ['SIMD, 1 thread', { kernel: 'simd', threads: 1 }],
  ['SIMD, 2 threads', { kernel: 'simd', threads: 2, worker }],
  ['SIMD, 4 threads', { kernel: 'simd', threads: 4, worker }],
];

// a machine without it trains in plain JavaScript, and the tests of SIMD are skipped there: not on these
test.runIf(['x64', 'arm64'].includes(process.arch))('SIMD is found where every processor has it', () => {
  expect(hasSimd()).toBe(true);
});

describe.each(setups)('training %s', (_, options) => {
  const setup = setUp(dataset, { hidden: 9, ...options });
  const train = (machine?: MachineOptions) =>
    trainNetwork(setup.topology, setup.runs, setup.options, {}, undefined, machine);
  const expected = train({ kernel: 'scalar' });

  test.skipIf(!hasSimd()).each(fast)('gives the bits of the scalar kernel with %s', (_name, machine) => {
    const found = train(machine);
    expect(Float32Array.from(found.parameters.flat)).toEqual(Float32Array.from(expected.parameters.flat));
    expect(found.history).toEqual(expected.history);
  });
});

test('what was trained holds nothing of the memory that it was trained in', () => {
  const { topology, runs, options } = setUp(dataset);
  const { parameters } = trainNetwork(topology, runs, options);
  expect(parameters.flat.buffer.byteLength).toBe(parameters.flat.byteLength);
  expect(parameters.headWeights.buffer).toBe(parameters.flat.buffer);
});
