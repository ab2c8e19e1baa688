import type { TrainingKernel } from '../../src/kernels/training.ts';
import { createNetwork } from '../../src/train/network.ts';
import type { Parameters } from '../../src/train/parameters.ts';
import type { Run } from '../../src/train/runs.ts';
import { createTape, type Tape } from '../../src/train/tape.ts';
import type { Setup } from './setup.ts';

/** A run from its first row on in one call of the trainer's forward pass: P rows are one time step, so that the answers
 * of row i lie at y[i * O]. */
export function forwardRun(
  kernel: TrainingKernel,
  { topology, options }: Setup,
  parameters: Parameters,
  run: Run,
): Tape {
  const rows = options.phases;
  const tape = createTape(kernel, topology, { rows, steps: Math.ceil(run.length / rows) });
  tape.x.set(run.inputs);
  tape.biasRows.fill(topology.biases > 1 ? run.series : 0);
  createNetwork(kernel, topology).forward(parameters, tape);
  return tape;
}
