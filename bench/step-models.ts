import type { Model } from '../src/model/model.ts';
import { quantizeModel } from '../src/quantize/quantize-model.ts';
import { createDice, floatModel, shapeOf } from '../test/fixtures/random-model.ts';

/** I = 8: one feature by six lags and two averages. One layer, one answer. */
export function createFloatModel(hidden: number, seed = 1): Model {
  return floatModel(
    shapeOf({ seed, hidden, features: 1, lags: [1, 2, 3, 4, 5, 6], averages: [4, 24], steps: 1 }),
  );
}

export function createInt8Model(hidden: number, seed = 1): Model {
  return quantizeModel(createFloatModel(hidden, seed));
}

/** Frames of network inputs, [frames, size], between -1 and 1: the differences of z-scores are of that size. */
export function createInputs(frames: number, size: number, seed = 1): Float32Array {
  const dice = createDice(seed);
  return Float32Array.from({ length: frames * size }, () => 2 * dice.next() - 1);
}
