import { DataError } from '../data/data-error.ts';
import { float32 } from '../kernels/training.ts';
import { createScalarTrainingKernel } from '../kernels/training-scalar.ts';
import { drawChunks, fewestChunks, longestChunk } from './chunks.ts';
import { createNetwork } from './network.ts';
import { normOf } from './optimizer.ts';
import { createParameters, type Parameters, type Topology } from './parameters.ts';
import type { Run } from './runs.ts';
import { createTape } from './tape.ts';

export interface FlowOptions {
  /** How far back to look; less when the data is shorter. */
  readonly steps: number;
  readonly phases: number;
  readonly seed: number;
  /** [run]: rows of the training part. */
  readonly trainEnds: readonly number[];
}

/** Pieces of the data that the norm is averaged over. */
const MOST_ROWS = 64;

/** How strongly the last output still feels the hidden state k steps back: the norm of dy/dh of the top layer by
 * backpropagation through real data, k = 0 first. It falls or grows with the product of the cell's Jacobians
 * (Bengio 1994; Hochreiter and Schmidhuber 1997). */
export function measureGradientFlow(
  topology: Topology,
  parameters: Parameters,
  runs: readonly Run[],
  { steps: wanted, phases, seed, trainEnds }: FlowOptions,
): number[] {
  const steps = longestChunk(trainEnds, phases, wanted);
  const drawing = { steps, phases, seed, ends: trainEnds };
  const rows = steps < 2 ? 0 : Math.min(MOST_ROWS, fewestChunks(drawing));
  if (rows === 0) {
    throw new DataError(`the training part is shorter than 2 steps of ${phases} phases; give it more rows`);
  }
  const kernel = createScalarTrainingKernel(float32);
  const network = createNetwork(kernel, topology);
  const tape = createTape(kernel, topology, { rows, steps, answersFrom: steps - 1 });
  drawChunks(1, drawing)
    .slice(0, rows)
    .forEach(({ run, first }, r) => {
      for (let t = 0; t < steps; t++) {
        const from = (first + t * phases) * topology.inputs;
        const at = (t * rows + r) * topology.inputs;
        tape.x.set(runs[run].inputs.subarray(from, from + topology.inputs), at);
        tape.biasRows[t * rows + r] = topology.biases > 1 ? runs[run].series : 0;
      }
    });
  network.forward(parameters, tape);
  tape.dy.fill(1 / tape.dy.length);
  const norms = new Array<number>(steps).fill(0);
  network.backward(parameters, createParameters(kernel, topology), tape, (layer, t, dh) => {
    if (layer === topology.layers - 1) norms[steps - 1 - t] = normOf(dh);
  });
  return norms;
}
