import type { Model } from '../model/model.ts';
import type { Answers } from '../stream/denormalize.ts';
import { createMonitor, type Monitor } from './monitor.ts';

/** The live errors of two models, on the same readings. */
export interface Comparison {
  /** Forecasts of each over all horizons whose targets have arrived, of the target that has the fewest. */
  readonly pairs: number;
  /** The horizon of the target with the fewest forecasts that have met their readings. */
  readonly fewest: { readonly pairs: number; readonly target: string; readonly steps: number };
  /** The error of the new model over that of the one that serves, averaged over the targets; NaN before the first pair. */
  readonly ratio: number;
  /** Mean absolute errors over all targets, of which each horizon that has pairs counts the same: the far ones, whose readings come
   * late, as much as the near ones. NaN before the first pair. */
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
      const { input, output } = serving;
      const before = errorsOf(old, output);
      const after = errorsOf(young, output);
      const counts = output.targets.flatMap((feature, target) =>
        output.horizons.map((steps, h) => ({
          target: input.names[feature],
          steps,
          pairs: Math.min(before[target].n[h], after[target].n[h]),
        })),
      );
      return {
        pairs: Math.min(...[...before, ...after].map(({ n }) => n.reduce((sum, count) => sum + count, 0))),
        fewest: counts.reduce((least, count) => (count.pairs < least.pairs ? count : least)),
        ratio: mean(before.map(({ mae }, target) => ratioOf(mae, after[target].mae))),
        shadowMae: mean(after.map(({ mae }) => mae)),
        servingMae: mean(before.map(({ mae }) => mae)),
      };
    },
  };
}

interface TargetErrors {
  /** Forecasts whose targets have arrived, by horizon. */
  readonly n: readonly number[];
  /** The mean of the horizons' errors. */
  readonly mae: number;
}

/** Of each target, over all streams. */
function errorsOf({ records }: Monitor, { targets }: Model['output']): TargetErrors[] {
  return targets.map((_, target) => {
    const steps = records.errors.poolSteps(target, targets.length);
    return {
      n: steps.map(({ n }) => n),
      mae: mean(steps.flatMap(({ n, errorSum }) => (n > 0 ? [errorSum / n] : []))),
    };
  });
}

/** NaN of nothing. */
function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Two models without any error are equal. */
function ratioOf(before: number, after: number): number {
  return before === after ? 1 : after / before;
}
