import type { Dataset, Split } from '../data/dataset.ts';
import { integerLimits } from '../model/limits.ts';
import type { Model } from '../model/model.ts';
import { measureResiduals } from './calibration.ts';
import { type Drift, measureDrift } from './drift.ts';
import { createGolden } from './golden.ts';
import { QuantizeError, quantizeModel } from './quantize-model.ts';
import { createRounding } from './rounding.ts';
import { widenWorst } from './widen.ts';

/** int8 may cost this much of the validation error; beyond it, a refusal. */
export const COST_LIMIT = 0.01;
/** What costs more is worth layers of 12 bits, or fine-tuning. */
const COST_AIM = 0.002;

/** To the nearest integers; by data (GPTQ); to the nearest, which the float weights were fine-tuned for. */
type RoundingKind = 'nearest' | 'data' | 'trained';

export interface ExportReport {
  /** (int8 MSE - float MSE) / float MSE on validation, streamed from the first row on. */
  readonly cost: number;
  /** Some layer is. */
  readonly wide: boolean;
  readonly wideLayers: readonly boolean[];
  readonly rounding: RoundingKind;
  readonly drift: Drift;
}

interface ExportOptions {
  readonly wide: 'auto' | boolean;
  readonly outputLimit?: number;
  readonly float?: Measured;
  readonly fineTune?: () => Model;
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

interface Candidate {
  readonly model: Model;
  readonly report: ExportReport;
}

/** The float model and its int8 twin, ready for their files. What 8 bits cost is won back by 12 bits in one layer after
 * the other, which stay nearest to float; fine-tuning, which makes another forecaster of it, is for where they may not be.
 * @param options `float`: the finished model where it is there already; `outputLimit`: the relative error of the outputs
 * beyond which 12 bits are tried too, whatever the cost; `fineTune`: trains the float weights on as int8 will round them
 * @throws QuantizeError when int8 costs more than the limit, wide or not */
export function exportModels(
  model: Model,
  dataset: Dataset,
  split: Split,
  options: ExportOptions,
): ExportedModels {
  const { wide, float = finishModel(model, dataset, split), fineTune } = options;
  const { outputLimit = Number.POSITIVE_INFINITY } = options;
  const { cell, layers, hidden } = model.architecture;
  if (cell !== 'lstm') return { float: float.model, served: float.model };
  const isGood = ({ report: { cost, drift } }: Candidate) =>
    cost <= COST_AIM && drift.outputOverall <= outputLimit;
  const { round, measure } = createAttempts(float, dataset, split);
  const asked = new Array<boolean>(layers).fill(wide === true);
  const tries = [round(asked)];
  if (wide === 'auto' && hidden <= integerLimits.wideHidden) {
    let next = widenWorst(tries[0].report);
    while (next && !tries.some(isGood)) {
      const wider = round(next);
      tries.push(wider);
      next = widenWorst(wider.report);
    }
  }
  if (fineTune && wide !== true && !tries.some(isGood)) {
    // to the nearest integers: that is how it was trained
    const tuned = measure({ model: quantizeModel(fineTune()), rounding: 'trained' }, asked);
    if (tuned.report.cost < tries[0].report.cost) tries.push(tuned);
  }
  const chosen = tries.find(isGood) ?? nearestToFloat(tries);
  return { float: float.model, served: chosen.model, report: chosen.report };
}

/** Integers for a float model, finished and measured beside it. */
function createAttempts(float: Measured, dataset: Dataset, split: Split) {
  const roundFloat = createRounding(float.model, dataset, split);
  const measure = (
    { model, rounding }: Pick<ExportReport, 'rounding'> & { readonly model: Model },
    wideLayers: readonly boolean[],
  ): Candidate => {
    const int8 = finishModel(model, dataset, split);
    const cost = int8.mse / float.mse - 1;
    const drift = measureDrift(model, float.model, dataset, split);
    const report = { cost, wide: wideLayers.includes(true), wideLayers, rounding, drift };
    return { model: int8.model, report };
  };
  const round = (wideLayers: readonly boolean[]) => measure(roundFloat(wideLayers), wideLayers);
  return { round, measure };
}

function nearestToFloat(tries: readonly Candidate[]): Candidate {
  // NaN is no cost that could be borne
  const borne = tries.filter(({ report }) => report.cost <= COST_LIMIT);
  if (borne.length > 0) {
    const errorOf = ({ report }: Candidate) => report.drift.outputOverall;
    return borne.reduce((best, one) => (errorOf(one) < errorOf(best) ? one : best));
  }
  const least = Math.min(...tries.map(({ report }) => report.cost));
  throw new QuantizeError(
    `int8 costs ${(100 * least).toFixed(2)} % of the validation error, the limit is ${100 * COST_LIMIT} %; ` +
      'train longer, with more hidden units or more weight decay',
  );
}
