import { integerLimits, largestRowSum } from '../model/limits.ts';
import type { FloatTensor, Layer, Model } from '../model/model.ts';
import { INPUT_WEIGHT_LIMIT, quantizeMatrix } from './matrices.ts';

/** Weights that cannot be made integers. */
export class QuantizeError extends Error {
  override readonly name = 'QuantizeError';
}

/** The int8 form of a float LSTM (docs/ARCHITECTURE.md): W of the first layer in two planes, of the upper ones and U
 * in one, or in two when `wide`; bias, state and head stay float32. */
export function quantizeModel(model: Model, { wide = false } = {}): Model {
  const { cell, hidden } = model.architecture;
  if (cell !== 'lstm') throw new QuantizeError(`int8 is for the lstm, this is a ${cell}`);
  if (wide && hidden > integerLimits.wideHidden) {
    throw new QuantizeError(`wide weights with ${hidden} hidden units, at most ${integerLimits.wideHidden}`);
  }
  const hiddenLimit = wide ? integerLimits.wide : integerLimits.hidden;
  return { ...model, layers: model.layers.map((layer, index) => quantizeLayer(layer, index, hiddenLimit)) };
}

function quantizeLayer(layer: Layer, index: number, hiddenLimit: number): Layer {
  const weightLimit = index === 0 ? INPUT_WEIGHT_LIMIT : hiddenLimit;
  const inputWeights = quantizeMatrix(layer.inputWeights as FloatTensor, weightLimit);
  const recurrentWeights = quantizeMatrix(layer.recurrentWeights as FloatTensor, hiddenLimit);
  const levels = Math.floor(integerLimits.sum / Math.max(1, largestRowSum(inputWeights)));
  return {
    ...layer,
    inputWeights,
    recurrentWeights,
    // an upper layer reads the integers of the hidden state below it
    inputLimit: index === 0 ? Math.min(integerLimits.input, levels) : hiddenLimit,
    hiddenLimit,
  };
}
