import type { Dataset, Split } from '../data/dataset.ts';
import type { Model } from '../model/model.ts';
import { measureOutputErrors } from './drift.ts';
import { createFeedback, type Feedback } from './feedback.ts';
import { sumHiddenMoments } from './hidden-moments.ts';
import { quantizeModel } from './quantize-model.ts';

interface RoundedModel {
  readonly model: Model;
  /** By data: GPTQ, with what the model sees while it streams. */
  readonly rounding: 'nearest' | 'data';
}

/** Free-running steps over validation by which the two are compared. */
const STEPS = 2000;

/** Rounds one float model, again and again with other layers wide. */
export function createRounding(float: Model, dataset: Dataset, split: Split) {
  let feedback: readonly Feedback[] | undefined;

  /** Of both ways the one whose forecasts stay nearer to float on validation, which neither has seen. Their squared
   * errors differ by less than chance. */
  return (wide: readonly boolean[]): RoundedModel => {
    const nearest = quantizeModel(float, { wide });
    // the integers of h barely differ with the width
    feedback ??= sumHiddenMoments(nearest, dataset, split).map((moments) =>
      createFeedback(moments, float.architecture.hidden),
    );
    const model = quantizeModel(float, { wide, feedback });
    const [ofNearest, ofData] = measureOutputErrors([nearest, model], float, dataset, split, STEPS);
    return ofData < ofNearest ? { model, rounding: 'data' } : { model: nearest, rounding: 'nearest' };
  };
}
