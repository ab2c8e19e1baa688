import type { TrainingKernel } from '../../src/kernels/training.ts';
import { createNetwork } from '../../src/train/network.ts';
import { createParameters } from '../../src/train/parameters.ts';
import { createStatePass } from '../../src/train/state-pass.ts';
import { fillNumbers } from './nets.ts';
import type { setUp } from './setup.ts';

/** A network with made-up parameters over a setup, and the pass that caches its states. */
export function prepareStates(kernel: TrainingKernel, { topology, runs, options }: ReturnType<typeof setUp>) {
  const network = createNetwork(kernel, topology);
  const parameters = createParameters(kernel, topology);
  fillNumbers(parameters.flat, 4, 0.5);
  const states = createStatePass(kernel, network, topology, runs, options);
  return { network, parameters, states };
}
