import { type Model, outputSize, stateSize } from '../model/model.ts';
import { inputSize, layoutPast } from '../signal/inputs.ts';

function sizeOf(shape: readonly number[] | undefined): number {
  return shape === undefined ? 0 : shape.reduce((product, size) => product * size, 1);
}

/** Weights and bias of each layer: 4(HI + H^2 + H) for an LSTM. A channel's own bias does not count. */
export function layerParameters({ layers }: Model): number[] {
  return layers.map(({ inputWeights, recurrentWeights, bias, recurrentBias }) =>
    [inputWeights.shape, recurrentWeights?.shape, bias.shape.slice(1), recurrentBias?.shape]
      .map(sizeOf)
      .reduce((sum, size) => sum + size, 0),
  );
}

/** V, d, S and the highway. */
export function headParameters({ head, highway }: Model): number {
  const tensors = [head?.weights, head?.bias, head?.skip, highway?.weights, highway?.bias];
  return tensors.reduce((sum, tensor) => sum + sizeOf(tensor?.shape), 0);
}

/** Bytes that one stream takes: its states and its past. */
export function streamBytes({ architecture, input, highway }: Model): number {
  const states = architecture.phases * architecture.layers * stateSize(architecture);
  return 4 * (states + layoutPast(input, highway?.window).size);
}

/** Multiply-adds of one frame: the cells of one phase, head, skip and highway. */
export function multiplyAdds({ layers, head, highway, output, input, architecture }: Model): number {
  const cells = layers.reduce(
    (sum, { inputWeights, recurrentWeights }) =>
      sum + sizeOf(inputWeights.shape) + sizeOf(recurrentWeights?.shape),
    0,
  );
  const answers = head ? outputSize(output) * (architecture.hidden + inputSize(input)) : 0;
  return cells + answers + (highway ? sizeOf(highway.weights.shape.slice(1)) : 0);
}
