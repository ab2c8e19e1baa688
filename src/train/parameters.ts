import type { Floats, TrainingKernel } from '../kernels/training.ts';
import { purpose, uniform } from '../math/random.ts';
import { type CellKind, gateCount } from '../model/model.ts';

/** The sizes that a network's parameters follow from. */
export interface Topology {
  readonly cell: Exclude<CellKind, 'none'>;
  readonly layers: number;
  /** H */
  readonly hidden: number;
  /** I */
  readonly inputs: number;
  /** O */
  readonly outputs: number;
  /** Biases of layer 0: one, or one a channel. */
  readonly biases: number;
}

export interface LayerParameters {
  /** W [G*H, I] */
  readonly inputWeights: Floats;
  /** U [G*H, H]; empty in a feedforward layer */
  readonly recurrentWeights: Floats;
  /** b [biases, G*H] in layer 0, [1, G*H] above */
  readonly bias: Floats;
  /** GRU: b_n [H]; empty elsewhere */
  readonly recurrentBias: Floats;
}

/** Named views of one flat array: the optimizer sees the array, the network the names. Gradients have the same form. */
export interface Parameters {
  readonly flat: Floats;
  readonly layers: readonly LayerParameters[];
  /** V [O, H] */
  readonly headWeights: Floats;
  /** d [O] */
  readonly headBias: Floats;
  /** S [O, I] */
  readonly skip: Floats;
}

function layerSizes(topology: Topology, layer: number) {
  const { cell, hidden } = topology;
  const rows = gateCount[cell] * hidden;
  return {
    inputWeights: rows * (layer === 0 ? topology.inputs : hidden),
    recurrentWeights: cell === 'feedforward' ? 0 : rows * hidden,
    bias: rows * (layer === 0 ? topology.biases : 1),
    recurrentBias: cell === 'gru' ? hidden : 0,
  };
}

/** Numbers of the cells: 4(HI + H^2 + H) for an LSTM layer with one bias. */
export function countCellParameters(topology: Topology): number {
  let count = 0;
  for (let l = 0; l < topology.layers; l++) {
    const sizes = layerSizes(topology, l);
    count += sizes.inputWeights + sizes.recurrentWeights + sizes.bias + sizes.recurrentBias;
  }
  return count;
}

/** All that is learnt: the cells and the head's O(H + 1 + I). */
export function countParameters(topology: Topology): number {
  const { outputs, hidden, inputs } = topology;
  return countCellParameters(topology) + outputs * (hidden + 1 + inputs);
}

/** The network's parameters by name: zeros, or `flat`. */
export function createParameters(
  kernel: TrainingKernel,
  topology: Topology,
  flat = kernel.precision.allocate(countParameters(topology)),
): Parameters {
  let offset = 0;
  const take = (length: number) => {
    offset += length;
    return flat.subarray(offset - length, offset);
  };
  const layers = Array.from({ length: topology.layers }, (_, l) => {
    const sizes = layerSizes(topology, l);
    return {
      inputWeights: take(sizes.inputWeights),
      recurrentWeights: take(sizes.recurrentWeights),
      bias: take(sizes.bias),
      recurrentBias: take(sizes.recurrentBias),
    };
  });
  const { outputs, hidden, inputs } = topology;
  return {
    flat,
    layers,
    headWeights: take(outputs * hidden),
    headBias: take(outputs),
    skip: take(outputs * inputs),
  };
}

/** The head starts small, so that the first forecasts are near persistence. */
const HEAD_GAIN = 0.1;

/** Uniform in +-1/sqrt(H); biases 0 but for the LSTM's forget gate at 1 (Jozefowicz 2015); the skip 0. */
export function initializeParameters(parameters: Parameters, topology: Topology, seed: number): void {
  const { cell, hidden } = topology;
  const bound = 1 / Math.sqrt(hidden);
  let block = 0;
  const fill = (values: Floats, width: number) => {
    for (let i = 0; i < values.length; i++) {
      values[i] = Math.fround((2 * uniform(seed, purpose.weights, 0, block, i) - 1) * width);
    }
    block++;
  };
  for (const { inputWeights, recurrentWeights, bias } of parameters.layers) {
    fill(inputWeights, bound);
    fill(recurrentWeights, bound);
    if (cell !== 'lstm') continue;
    const rows = 4 * hidden;
    for (let start = 0; start < bias.length; start += rows) bias.fill(1, start + hidden, start + 2 * hidden);
  }
  fill(parameters.headWeights, HEAD_GAIN * bound);
}
