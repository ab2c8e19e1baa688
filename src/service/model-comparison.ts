import { poolErrors } from '../calibrate/running-error.ts';
import type { Model } from '../model/model.ts';
import type { Answers } from '../stream/denormalize.ts';
import { createMonitor, type Monitor } from './monitor.ts';

/** The live errors of two models, on the same readings. */
export interface Comparison {
  /** Forecasts of each whose targets have arrived, the fewer of the two. */
  readonly pairs: number;
  /** The mean absolute error of the new model over that of the one that serves, averaged over the targets; NaN before the first
   * pair. */
  readonly ratio: number;
}

/** Hears the answers of two models with the same targets and horizons. */
export interface ModelComparison {
  noteServing(answers: Answers): void;
  noteShadow(answers: Answers): void;
  read(): Comparison;
}

export function createModelComparison(serving: Model, shadow: Model, maxStreams: number): ModelComparison {
  const open = (model: Model) =>
    createMonitor({ model, staleAfterMs: Number.POSITIVE_INFINITY, charted: false, maxStreams });
  const [old, young] = [open(serving), open(shadow)];
  return {
    noteServing: (answers) => old.noteOutcome(answers, Number.NaN),
    noteShadow: (answers) => young.noteOutcome(answers, Number.NaN),
    read() {
      const errors = serving.output.targets.map((_, target) => [
        errorOf(old, target),
        errorOf(young, target),
      ]);
      const ratios = errors.map(([before, after]) => ratioOf(before.mae, after.mae));
      return {
        pairs: Math.min(...errors.flat().map(({ n }) => n)),
        ratio: ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length,
      };
    },
  };
}

function errorOf({ records }: Monitor, target: number) {
  return poolErrors([...records.values()].map(({ errors }) => errors[target]));
}

/** Two models without any error are equal. */
function ratioOf(before: number, after: number): number {
  return before === after ? 1 : after / before;
}
