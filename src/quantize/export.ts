import type { Dataset, Split } from '../data/dataset.ts';
import { integerLimits } from '../model/limits.ts';
import type { Model } from '../model/model.ts';
import { measureResiduals } from './calibration.ts';
import { type Drift, measureDrift } from './drift.ts';
import { createGolden } from './golden.ts';
import { QuantizeError, quantizeModel } from './quantize-model.ts';

/** int8 may cost this much of the validation error; beyond it, `wide`, and then a refusal. */
export const COST_LIMIT = 0.01;

export interface ExportReport {
  /** (int8 MSE - float MSE) / float MSE on validation, streamed from the first row on. */
  readonly cost: number;
  readonly wide: boolean;
  readonly drift: Drift;
}

interface ExportOptions {
  readonly wide: 'auto' | boolean;
  readonly outputLimit?: number;
  readonly float?: Measured;
}

export interface ExportedModels {
  /** With calibration and golden vectors. */
  readonly float: Model;
  /** The int8 twin; the float model itself for a cell that has no integer form. */
  readonly served: Model;
  readonly report?: ExportReport;
}

/** A model with calibration and golden vectors, and its squared error on validation. */
export interface Measured {
  readonly model: Model;
  readonly mse: number;
}

/** Calibrates a model on validation and adds the vectors by which a device proves it. */
export function finishModel(model: Model, dataset: Dataset, split: Split): Measured {
  const { calibration, mse } = measureResiduals(model, dataset, split);
  const calibrated = { ...model, calibration };
  return { model: { ...calibrated, golden: createGolden(calibrated, dataset, split) }, mse };
}

/** The float model and its int8 twin, ready for their files.
 * @param options `float`: the finished model where it is there already; `outputLimit`: the relative error of the outputs
 * beyond which 12 bits are tried too, whatever the cost
 * @throws QuantizeError when int8 costs more than the limit, wide or not */
export function exportModels(
  model: Model,
  dataset: Dataset,
  split: Split,
  { wide, outputLimit = Number.POSITIVE_INFINITY, float = finishModel(model, dataset, split) }: ExportOptions,
): ExportedModels {
  if (model.architecture.cell !== 'lstm') return { float: float.model, served: float.model };
  const mayBeWide = model.architecture.hidden <= integerLimits.wideHidden;
  const tries = wide === 'auto' ? [false, ...(mayBeWide ? [true] : [])] : [wide];
  let least = Number.POSITIVE_INFINITY;
  let best: (Measured & { readonly report: ExportReport }) | undefined;
  for (const isWide of tries) {
    const int8 = finishModel(quantizeModel(model, { wide: isWide }), dataset, split);
    const cost = int8.mse / float.mse - 1;
    least = Math.min(least, cost);
    // NaN is no cost that could be borne
    if (!(cost <= COST_LIMIT)) continue;
    const drift = measureDrift(int8.model, float.model, dataset, split);
    if (best === undefined || drift.outputOverall < best.report.drift.outputOverall)
      best = { ...int8, report: { cost, wide: isWide, drift } };
    if (best.report.drift.outputOverall <= outputLimit) break;
  }
  if (best) return { float: float.model, served: best.model, report: best.report };
  throw new QuantizeError(
    `int8 costs ${(100 * least).toFixed(2)} % of the validation error, the limit is ${100 * COST_LIMIT} %; ` +
      'train longer, with more hidden units or more weight decay',
  );
}
