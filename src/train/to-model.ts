import type { Floats } from '../kernels/training.ts';
import {
  type FloatTensor,
  gateCount,
  type Highway,
  type Layer,
  type Model,
  unproven,
} from '../model/model.ts';
import type { Parameters, Topology } from './parameters.ts';

/** All of a model that is not learnt. */
export type ModelDescription = Omit<Model, 'layers' | 'head' | 'highway' | 'calibration' | 'golden'>;

function tensor(values: Floats, shape: readonly number[]): FloatTensor {
  return { kind: 'float32', shape, values: Float32Array.from(values) };
}

/** Biases a channel become those of the file, with their mean for unknown streams in front. */
function biasTensor(bias: Floats, rows: number, channels: number): FloatTensor {
  if (channels === 0) return tensor(bias, [bias.length / rows, rows]);
  const values = new Float32Array((1 + channels) * rows);
  // the streams of a highway each may share one bias
  for (let at = rows; at < values.length; at += bias.length) values.set(bias, at);
  for (let j = 0; j < rows; j++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += values[(1 + channel) * rows + j];
    values[j] = sum / channels;
  }
  return { kind: 'float32', shape: [1 + channels, rows], values };
}

/** The float32 model of trained parameters, still without calibration and golden vectors.
 * @param highway the frozen one that they were trained beside */
export function toModel(
  parameters: Parameters,
  topology: Topology,
  description: ModelDescription,
  highway?: Highway,
): Model {
  const { cell, hidden, inputs, outputs } = topology;
  const rows = gateCount[cell] * hidden;
  const layers = parameters.layers.map((layer, index): Layer => {
    const columns = index === 0 ? inputs : hidden;
    const channels = index === 0 ? description.input.channels.length : 0;
    return {
      inputWeights: tensor(layer.inputWeights, [rows, columns]),
      ...(cell !== 'feedforward' && { recurrentWeights: tensor(layer.recurrentWeights, [rows, hidden]) }),
      bias: biasTensor(layer.bias, rows, channels),
      ...(cell === 'gru' && { recurrentBias: tensor(layer.recurrentBias, [hidden]) }),
      inputLimit: 0,
      hiddenLimit: 0,
    };
  });
  return {
    ...description,
    layers,
    head: {
      weights: tensor(parameters.headWeights, [outputs, hidden]),
      bias: tensor(parameters.headBias, [outputs]),
      skip: tensor(parameters.skip, [outputs, inputs]),
    },
    ...(highway && { highway }),
    ...unproven,
  };
}

/** A highway alone: `cell: none`. */
export function linearModel(highway: Highway, description: ModelDescription): Model {
  return { ...description, layers: [], highway, ...unproven };
}
