import { integerLimits, largestRowSum } from '../model/limits.ts';
import type { FloatTensor, Layer, Model } from '../model/model.ts';
import type { Feedback } from './feedback.ts';
import { INPUT_WEIGHT_LIMIT, quantizeMatrix } from './matrices.ts';

/** Weights that cannot be made integers. */
export class QuantizeError extends Error {
  override readonly name = 'QuantizeError';
}

export interface RoundingOptions {
  /** 12 bits for U, h and the upper layers' W: of all layers, or of each. */
  readonly wide?: boolean | readonly boolean[];
  /** [layer], of its hidden state: rounds its U and the W above it by data, to the nearest integer if left out. */
  readonly feedback?: readonly Feedback[];
}

/** The int8 form of a float LSTM (docs/ARCHITECTURE.md): W of the first layer in two planes, of the upper ones and U
 * in one, or in two when `wide`; bias, state and head stay float32. */
export function quantizeModel(model: Model, { wide = false, feedback }: RoundingOptions = {}): Model {
  const { cell, hidden } = model.architecture;
  if (cell !== 'lstm') throw new QuantizeError(`int8 is for the lstm, this is a ${cell}`);
  const isWide = model.layers.map((_, index) => (typeof wide === 'boolean' ? wide : wide[index]));
  if (isWide.includes(true) && hidden > integerLimits.wideHidden) {
    throw new QuantizeError(`wide weights with ${hidden} hidden units, at most ${integerLimits.wideHidden}`);
  }
  const limits = isWide.map((wider) => (wider ? integerLimits.wide : integerLimits.hidden));
  return { ...model, layers: model.layers.map((layer, l) => quantizeLayer(layer, l, limits, feedback)) };
}

function quantizeLayer(
  layer: Layer,
  index: number,
  limits: readonly number[],
  feedback?: readonly Feedback[],
): Layer {
  const hiddenLimit = limits[index];
  const weightLimit = index === 0 ? INPUT_WEIGHT_LIMIT : hiddenLimit;
  // an upper layer reads the integers of the hidden state below it
  const inputWeights = quantizeMatrix(layer.inputWeights as FloatTensor, weightLimit, feedback?.[index - 1]);
  const recurrentWeights = quantizeMatrix(
    layer.recurrentWeights as FloatTensor,
    hiddenLimit,
    feedback?.[index],
  );
  const levels = Math.floor(integerLimits.sum / Math.max(1, largestRowSum(inputWeights)));
  const inputLimit = index === 0 ? Math.min(integerLimits.input, levels) : limits[index - 1];
  return { ...layer, inputWeights, recurrentWeights, inputLimit, hiddenLimit };
}
