import type { Split } from '../data/dataset.ts';
import { integerLimits } from '../model/limits.ts';
import type { Model } from '../model/model.ts';
import { measureDrift } from './drift.ts';
import type { ExportReport } from './export.ts';
import { createGolden } from './golden.ts';
import { inventReadings } from './invented-readings.ts';
import { createRounding } from './rounding.ts';
import { widenWorst } from './widen.ts';

/** The relative error of the outputs at which 12 bits are tried. */
export const OUTPUT_ERROR_LIMIT = 0.01;
/** Frames of invented readings. */
const STEPS = 2000;

interface WithoutData {
  /** With golden vectors, without intervals. */
  readonly float: Model;
  /** An LSTM's. */
  readonly int8?: Omit<ExportReport, 'cost'> & { readonly model: Model };
}

/** A float model and its int8 twin when there is no data: golden vectors and the error of int8 on invented readings.
 * Nothing is refused here, since nothing is known of what an error costs. */
export function exportWithoutData(model: Model, { wide }: { wide: 'auto' | boolean }): WithoutData {
  const dataset = inventReadings(model, STEPS);
  const split: Split = { start: 0, trainEnd: 0, validationEnd: STEPS, end: STEPS };
  const prove = (one: Model): Model => ({ ...one, golden: createGolden(one, dataset, split) });
  const float = prove(model);
  if (model.architecture.cell !== 'lstm') return { float };
  // by what readings like these do to it a model is nearer to float on real ones, too
  const round = createRounding(model, dataset, split);
  const measure = (wideLayers: readonly boolean[]) => {
    const rounded = round(wideLayers);
    const drift = measureDrift(rounded.model, model, dataset, split, STEPS);
    return { ...rounded, wide: wideLayers.includes(true), wideLayers, drift };
  };
  let best = measure(model.layers.map(() => wide === true));
  if (wide === 'auto' && model.architecture.hidden <= integerLimits.wideHidden) {
    let next = widenWorst(best);
    while (next && !(best.drift.outputOverall <= OUTPUT_ERROR_LIMIT)) {
      const wider = measure(next);
      if (wider.drift.outputOverall < best.drift.outputOverall) best = wider;
      next = widenWorst(wider);
    }
  }
  return { float, int8: { ...best, model: prove(best.model) } };
}
