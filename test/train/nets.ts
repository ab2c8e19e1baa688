import type { Floats, TrainingKernel } from '../../src/kernels/training.ts';
import { createNetwork, type TrainableNetwork } from '../../src/train/network.ts';
import { createParameters, type Parameters, type Topology } from '../../src/train/parameters.ts';
import { createTape, type Tape } from '../../src/train/tape.ts';

export const cells = ['feedforward', 'rnn', 'lstm', 'gru'] as const;

/** A small net with every kind of parameter, and a tape of made up inputs and initial states. */
export interface Net {
  readonly kernel: TrainingKernel;
  readonly topology: Topology;
  readonly network: TrainableNetwork;
  readonly parameters: Parameters;
  readonly tape: Tape;
}

export interface NetOptions extends Partial<Topology> {
  readonly rows?: number;
  readonly steps?: number;
  readonly answersFrom?: number;
}

/** Numbers in [-size, size] without a pattern that an error could hide in. */
export function fillNumbers(values: Floats, seed: number, size = 0.8): void {
  for (let k = 0; k < values.length; k++) values[k] = size * Math.sin(seed + 1.7 * k * (1 + 0.013 * k));
}

export function makeNet(kernel: TrainingKernel, options: NetOptions = {}): Net {
  const { rows = 3, steps = 5, answersFrom = 0, ...sizes } = options;
  const topology: Topology = {
    ...{ cell: 'lstm', layers: 1, hidden: 3, inputs: 2, outputs: 2, biases: 1 },
    ...sizes,
  };
  const parameters = createParameters(kernel, topology);
  fillNumbers(parameters.flat, 1);
  const tape = createTape(kernel, topology, { rows, steps, answersFrom });
  fillNumbers(tape.x, 2, 1.2);
  tape.biasRows.forEach((_, i) => {
    tape.biasRows[i] = i % topology.biases;
  });
  tape.layers.forEach(({ h, c }, l) => {
    fillNumbers(h.subarray(0, rows * topology.hidden), 3 + l);
    fillNumbers(c.subarray(0, rows * topology.hidden), 30 + l);
  });
  return { kernel, topology, network: createNetwork(kernel, topology), parameters, tape };
}
