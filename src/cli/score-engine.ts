import type { Dataset, Part, Split } from '../data/dataset.ts';
import type { Engine } from '../engine/engine.ts';
import { createScorer, type Score } from '../evaluate/score.ts';
import type { Model } from '../model/model.ts';

/** Which part of a dataset a model is scored on. */
export interface ScoredPart {
  readonly dataset: Dataset;
  readonly split: Split;
  readonly part: Part;
  /** The model's own when absent. */
  readonly horizons?: readonly number[];
}

export interface EngineScore {
  readonly score: Score;
  /** [series], each [length]: 1 at the rows that the engine answered, for baselines on the same pairs. */
  readonly origins: readonly Uint8Array[];
}

/** Streams every series through the engine from its first row, as a service would, and scores one part. The states
 * are warm from everything earlier. */
export function scoreEngine(
  engine: Engine,
  { dataset, split, part, horizons }: ScoredPart,
  onRow?: (done: number) => void,
): EngineScore {
  const { output } = engine.model;
  const { steps, targets } = output;
  const levels = levelsOf(engine.model);
  const scorer = createScorer({
    dataset,
    split,
    part,
    targets,
    steps,
    horizons: horizons ?? output.horizons,
    levels,
  });
  const size = targets.length * steps;
  const point = new Float64Array(size);
  const quantiles = new Float64Array(size * levels.length);
  const width = dataset.features.length;
  const origins = dataset.series.map(({ length }) => new Uint8Array(length));
  let done = 0;
  dataset.series.forEach(({ stream, values, present, firstSlot, length }, index) => {
    const session = engine.openSession(stream);
    for (let row = 0; row < length; row++) {
      onRow?.(done++);
      if (present[row] === 0) continue;
      const answer = session.step({
        timeMs: (firstSlot + row) * dataset.periodMs,
        values: values.subarray(row * width, (row + 1) * width),
      });
      if (answer.kind !== 'forecast') continue;
      origins[index][row] = 1;
      for (let i = 0; i < size; i++) {
        const target = Math.floor(i / steps);
        const step = (i % steps) + 1;
        point[i] = answer.at(step, target);
        levels.forEach((level, q) => {
          quantiles[i * levels.length + q] = answer.quantile(level, step, target);
        });
      }
      if (levels.length > 0) scorer.add(index, row, point, quantiles);
      else scorer.add(index, row, point);
    }
  });
  return { score: scorer.score(), origins };
}

/** Levels that the model tells quantiles of: its own, or those of its residuals. */
export function levelsOf({ output, calibration }: Model): readonly number[] {
  return output.quantiles.length > 1 ? output.quantiles : calibration.levels;
}
