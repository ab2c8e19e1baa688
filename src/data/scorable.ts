import { DataError } from './data-error.ts';
import type { Dataset, Part, Series, Split } from './dataset.ts';
import { partRange } from './split.ts';

export interface ScorableTask {
  /** Indices of features. */
  readonly targets: readonly number[];
  /** N: the longest horizon. */
  readonly steps: number;
}

/** Refuses a part on which not one forecast over the whole horizon could be compared with what came.
 * @throws DataError */
export function checkScorable(dataset: Dataset, split: Split, part: Part, task: ScorableTask): void {
  if (dataset.series.some((series) => isScorable(series, dataset.features.length, split, part, task))) return;
  const { from, to } = partRange(split, part);
  const names = task.targets.map((target) => dataset.features[target]).join(', ');
  throw new DataError(
    `the ${part} part has ${to - from} frames and not one reading of ${names} with ${task.steps} frames after it ` +
      'and a reading among them; shorten the horizons or give the part more rows with `split:`',
  );
}

/** A row is an origin when a target was read there, and steps 1..N lie inside the part. */
function isScorable(
  { values, length, firstSlot }: Series,
  features: number,
  split: Split,
  part: Part,
  { targets, steps }: ScorableTask,
): boolean {
  const { from, to } = partRange(split, part);
  const end = Math.min(length, to - firstSlot);
  return targets.some((target) => {
    const isRead = (row: number) => !Number.isNaN(values[row * features + target]);
    // the reading after the row in hand
    let next = Number.POSITIVE_INFINITY;
    for (let row = end - 1; row >= Math.max(0, from - firstSlot - 1); row--) {
      if (!isRead(row)) continue;
      if (row + steps < to - firstSlot && next <= row + steps) return true;
      next = row;
    }
    return false;
  });
}
