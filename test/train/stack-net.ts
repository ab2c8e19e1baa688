import type { Floats, TrainingKernel } from '../../src/kernels/training.ts';
import { createNetwork } from '../../src/train/network.ts';
import { createParameters, type Parameters } from '../../src/train/parameters.ts';
import { createTape } from '../../src/train/tape.ts';
import type { CellGolden, StackGolden, Weights } from '../cell/cells.ts';
import type { Net } from './nets.ts';

export type RecurrentCell = 'rnn' | 'lstm' | 'gru';

type Rows = readonly ArrayLike<number>[];

interface States {
  readonly hiddenState: Rows;
  readonly cellState?: Rows;
}

/** [B][T][n] as the tape has it, [T*B, n]. */
function setByTime(out: Floats, rows: readonly Rows[]): void {
  const [B, T, n] = [rows.length, rows[0].length, rows[0][0].length];
  for (let b = 0; b < B; b++) {
    for (let t = 0; t < T; t++) out.set(rows[b][t], (t * B + b) * n);
  }
}

/** Part `t` of a tape's array [T, B, n] as [B][n]. */
export function rowsAt(values: Floats, t: number, B: number, n: number): number[][] {
  return Array.from({ length: B }, (_, b) =>
    Array.from(values.subarray((t * B + b) * n, (t * B + b + 1) * n)),
  );
}

function setLayers({ layers }: Parameters, weights: readonly Weights[]): void {
  weights.forEach((layer, l) => {
    for (const [name, values] of Object.entries(layer)) layers[l][name as keyof Weights]?.set(values);
  });
}

function setStates({ tape, topology }: Net, states: readonly States[]): void {
  states.forEach(({ hiddenState, cellState }, l) => {
    hiddenState.forEach((h, b) => {
      tape.layers[l].h.set(h, b * topology.hidden);
    });
    cellState?.forEach((c, b) => {
      tape.layers[l].c.set(c, b * topology.hidden);
    });
  });
}

function emptyNet(
  kernel: TrainingKernel,
  sizes: Pick<Net['topology'], 'cell' | 'layers' | 'hidden' | 'inputs' | 'outputs'>,
  shape: { rows: number; steps: number; answersFrom: number },
): Net {
  const topology = { ...sizes, biases: 1 };
  return {
    kernel,
    topology,
    network: createNetwork(kernel, topology),
    parameters: createParameters(kernel, topology),
    tape: createTape(kernel, topology, shape),
  };
}

/** The trainer's network and tape with the weights, initial states and inputs of a golden stack. */
export function makeStackNet(kernel: TrainingKernel, cell: RecurrentCell, golden: StackGolden): Net {
  const { layers, head, inputs, initialStates, answers } = golden;
  const [rows, steps, I] = [inputs.length, inputs[0].length, inputs[0][0].length];
  const hidden = initialStates[0].hiddenState[0].length;
  const sizes = { cell, layers: layers.length, hidden, inputs: I, outputs: head.bias.length };
  const net = emptyNet(kernel, sizes, { rows, steps, answersFrom: answers === 'each' ? 0 : steps - 1 });
  setLayers(net.parameters, layers);
  net.parameters.headWeights.set(head.weights);
  net.parameters.headBias.set(head.bias);
  net.parameters.skip.set(head.skip ?? []);
  setByTime(net.tape.x, inputs);
  setStates(net, initialStates);
  return net;
}

/** The same of a golden sequence of one cell. The head passes h on as it is, so that dy is dL/dh. */
export function makeCellNet(kernel: TrainingKernel, cell: RecurrentCell, golden: CellGolden): Net {
  const { weights, initialState, inputs } = golden;
  const hidden = initialState.hiddenState.length;
  const sizes = { cell, layers: 1, hidden, inputs: inputs[0].length, outputs: hidden };
  const net = emptyNet(kernel, sizes, { rows: 1, steps: inputs.length, answersFrom: 0 });
  setLayers(net.parameters, [weights]);
  for (let j = 0; j < hidden; j++) net.parameters.headWeights[j * hidden + j] = 1;
  setByTime(net.tape.x, [inputs]);
  setStates(net, [
    {
      hiddenState: [initialState.hiddenState],
      ...(initialState.cellState && { cellState: [initialState.cellState] }),
    },
  ]);
  return net;
}
