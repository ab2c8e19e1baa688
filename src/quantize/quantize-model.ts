import { largestRowSum } from '../model/limits.ts';
import type { FloatTensor, Layer, Model } from '../model/model.ts';
import { INPUT_WEIGHT_LIMIT, PLANE_LIMIT, quantizeMatrix, WIDE_LIMIT } from './matrices.ts';

/** Weights that cannot be made integers. */
export class QuantizeError extends Error {
  override readonly name = 'QuantizeError';
}

const INT32_MAX = 2 ** 31 - 1;
const MOST_INPUT_LEVELS = 4095;
const MOST_WIDE_HIDDEN = 512;

/** The int8 form of a float LSTM (docs/ARCHITECTURE.md): W of the first layer in two planes, of the upper ones in one, U
 * in one, or in two when `wide`; bias, state and head stay float32. */
export function quantizeModel(model: Model, { wide = false } = {}): Model {
  const { cell, hidden } = model.architecture;
  if (cell !== 'lstm') throw new QuantizeError(`int8 is for the lstm, this is a ${cell}`);
  if (wide && hidden > MOST_WIDE_HIDDEN) {
    throw new QuantizeError(`wide weights with ${hidden} hidden units, at most ${MOST_WIDE_HIDDEN}`);
  }
  const hiddenLimit = wide ? WIDE_LIMIT : PLANE_LIMIT;
  return { ...model, layers: model.layers.map((layer, index) => quantizeLayer(layer, index, hiddenLimit)) };
}

function quantizeLayer(layer: Layer, index: number, hiddenLimit: number): Layer {
  // an upper layer reads the integers of the hidden state below it
  const weightLimit = index === 0 ? INPUT_WEIGHT_LIMIT : hiddenLimit;
  const inputWeights = quantizeMatrix(layer.inputWeights as FloatTensor, weightLimit);
  const recurrentWeights = quantizeMatrix(layer.recurrentWeights as FloatTensor, hiddenLimit);
  const levels = Math.floor(INT32_MAX / Math.max(1, largestRowSum(inputWeights)));
  return {
    ...layer,
    inputWeights,
    recurrentWeights,
    inputLimit: index === 0 ? Math.min(MOST_INPUT_LEVELS, levels) : hiddenLimit,
    hiddenLimit,
  };
}
