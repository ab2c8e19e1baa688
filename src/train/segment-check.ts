import { DataError } from '../data/data-error.ts';
import type { Run } from './runs.ts';

export interface SegmentTask {
  /** T: rows of a run between two answers. */
  readonly segment: number;
  /** N */
  readonly steps: number;
  /** M */
  readonly targets: number;
}

/** Refuses a part in which not one of the rare answers of `output: last` can be compared with what came.
 * @param range slots of the part, half open
 * @throws DataError */
export function checkSegmentAnswers(
  runs: readonly Run[],
  part: string,
  range: { readonly from: number; readonly to: number },
  { segment, steps, targets }: SegmentTask,
): void {
  for (const { firstSlot, length, read } of runs) {
    for (let i = segment - 1; i < length; i += segment) {
      const slot = firstSlot + i;
      if (slot + 1 < range.from || slot + steps >= range.to) continue;
      const isRead = (row: number) => read.subarray(row * targets, (row + 1) * targets).includes(1);
      const ahead = Array.from({ length: steps }, (_, s) => i + s + 1);
      if (isRead(i) && ahead.some((row) => row < length && isRead(row))) return;
    }
  }
  throw new DataError(
    `an answer every ${segment} frames: none of them falls into the ${part} part with ${steps} frames after it; ` +
      'shorten model.segment or the horizons, or give the part more rows',
  );
}
