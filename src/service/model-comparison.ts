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
  /** The mean absolute errors over all targets and horizons; NaN before the first pair. */
  readonly shadowMae: number;
  readonly servingMae: number;
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
      const { length } = serving.output.targets;
      const errors = serving.output.targets.map((_, target) => [
        errorOf(old, target, length),
        errorOf(young, target, length),
      ]);
      const ratios = errors.map(([before, after]) => ratioOf(before.mae, after.mae));
      return {
        pairs: Math.min(...errors.flat().map(({ n }) => n)),
        ratio: ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length,
        shadowMae: young.records.errors.pool().mae,
        servingMae: old.records.errors.pool().mae,
      };
    },
  };
}

/** Of one of the targets, over all streams. */
function errorOf({ records }: Monitor, target: number, targets: number) {
  let n = 0;
  let sum = 0;
  for (let number = 0; number < records.size; number++) {
    const error = records.errors.mean(number * targets + target);
    if (error.n === 0) continue;
    n += error.n;
    sum += error.n * error.mae;
  }
  return { n, mae: sum / n };
}

/** Two models without any error are equal. */
function ratioOf(before: number, after: number): number {
  return before === after ? 1 : after / before;
}
