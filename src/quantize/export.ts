import type { Dataset, Split } from '../data/dataset.ts';
import { integerLimits } from '../model/limits.ts';
import type { Model } from '../model/model.ts';
import { measureResiduals } from './calibration.ts';
import { type Drift, measureDrift } from './drift.ts';
import { createGolden } from './golden.ts';
import { QuantizeError } from './quantize-model.ts';
import { createRounding, type RoundingKind } from './rounding.ts';

/** int8 may cost this much of the validation error; beyond it, a refusal. */
export const COST_LIMIT = 0.01;
/** What costs more is worth fine-tuning, and then layers of 12 bits. */
export const COST_AIM = 0.002;

export interface ExportReport {
  /** (int8 MSE - float MSE) / float MSE on validation, streamed from the first row on. */
  readonly cost: number;
  /** Some layer is. */
  readonly wide: boolean;
  readonly wideLayers: readonly boolean[];
  readonly rounding: RoundingKind;
  /** Trained on with rounded weights. */
  readonly fineTuned: boolean;
  /** From the float weights that were rounded. */
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

/** The float model and its int8 twin, ready for their files. What 8 bits cost is first won back by fine-tuning, which
 * leaves the step as fast as it was, then by 12 bits in one layer after the other.
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
  const { cell, layers, hidden } = model.architecture;
  if (cell !== 'lstm') return { float: float.model, served: float.model };
  const { outputLimit = Number.POSITIVE_INFINITY } = options;
  const isGood = ({ report: { cost, drift } }: Candidate) =>
    cost <= COST_AIM && drift.outputOverall <= outputLimit;
  const createAttempt = (weights: Model, fineTuned: boolean) => {
    const round = createRounding(weights, dataset, split);
    return (wideLayers: readonly boolean[]): Candidate => {
      const { model: rounded, rounding } = round(wideLayers);
      const int8 = finishModel(rounded, dataset, split);
      const cost = int8.mse / float.mse - 1;
      const drift = measureDrift(rounded, weights, dataset, split);
      const isWide = wideLayers.includes(true);
      return { model: int8.model, report: { cost, wide: isWide, wideLayers, rounding, fineTuned, drift } };
    };
  };
  const attempt = createAttempt(model, false);
  const asked = new Array<boolean>(layers).fill(wide === true);
  const tries = [attempt(asked)];
  if (fineTune && wide !== true && !isGood(tries[0])) {
    const tuned = createAttempt(fineTune(), true)(asked);
    if (tuned.report.cost < tries[0].report.cost) tries.push(tuned);
  }
  if (wide === 'auto' && hidden <= integerLimits.wideHidden) {
    for (let last = tries[0].report; !tries.some(isGood) && last.wideLayers.includes(false); ) {
      const next = attempt(widenWorst(last));
      tries.push(next);
      last = next.report;
    }
  }
  const chosen = tries.find(isGood) ?? nearestToFloat(tries);
  return { float: float.model, served: chosen.model, report: chosen.report };
}

/** One more wide layer: the one whose 8 bits cost the outputs most. */
function widenWorst({ wideLayers, drift }: ExportReport): boolean[] {
  const costs = drift.layers.map(({ alone }, l) => (wideLayers[l] ? Number.NEGATIVE_INFINITY : alone));
  const worst = costs.indexOf(Math.max(...costs));
  return wideLayers.map((isWide, l) => isWide || l === worst);
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
