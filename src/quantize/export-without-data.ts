import type { Split } from '../data/dataset.ts';
import { integerLimits } from '../model/limits.ts';
import type { Model } from '../model/model.ts';
import { type Drift, measureDrift } from './drift.ts';
import { createGolden } from './golden.ts';
import { inventReadings } from './invented-readings.ts';
import { quantizeModel } from './quantize-model.ts';

/** The relative error of the outputs at which 12 bits are tried. */
export const OUTPUT_ERROR_LIMIT = 0.01;
/** Frames of invented readings. */
const STEPS = 2000;

interface WithoutData {
  /** With golden vectors, without intervals. */
  readonly float: Model;
  /** An LSTM's. */
  readonly int8?: { readonly model: Model; readonly wide: boolean; readonly drift: Drift };
}

/** A float model and its int8 twin when there is no data: golden vectors and the error of int8 on invented readings.
 * Nothing is refused here, since nothing is known of what an error costs. */
export function exportWithoutData(model: Model, { wide }: { wide: 'auto' | boolean }): WithoutData {
  const dataset = inventReadings(model, STEPS);
  const split: Split = { start: 0, trainEnd: 0, validationEnd: STEPS, end: STEPS };
  const prove = (one: Model): Model => ({ ...one, golden: createGolden(one, dataset, split) });
  const float = prove(model);
  if (model.architecture.cell !== 'lstm') return { float };
  const measure = (isWide: boolean) => {
    const int8 = quantizeModel(model, { wide: isWide });
    return { model: int8, wide: isWide, drift: measureDrift(int8, model, dataset, split, STEPS) };
  };
  let best = measure(wide === true);
  const mayBeWide = wide === 'auto' && model.architecture.hidden <= integerLimits.wideHidden;
  if (mayBeWide && !(best.drift.outputOverall <= OUTPUT_ERROR_LIMIT)) {
    const wider = measure(true);
    if (wider.drift.outputOverall < best.drift.outputOverall) best = wider;
  }
  return { float, int8: { ...best, model: prove(best.model) } };
}
