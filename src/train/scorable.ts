import { DataError } from '../data/data-error.ts';
import type { Run } from './runs.ts';

export interface AnswerTask {
  /** Rows of a run between two answers: T for `output: last`, else 1. */
  readonly every: number;
  /** N */
  readonly steps: number;
  /** M */
  readonly targets: number;
}

/** Refuses a part in which not one answer could be compared with what came: the target read where it is given, its
 * whole horizon inside the part, and something read there.
 * @param range slots of the part, half open
 * @throws DataError */
export function checkScorable(
  runs: readonly Run[],
  part: string,
  range: { readonly from: number; readonly to: number },
  { every, steps, targets }: AnswerTask,
): void {
  for (const { firstSlot, length, read } of runs) {
    const isRead = (row: number) => read.subarray(row * targets, (row + 1) * targets).includes(1);
    for (let i = every - 1; i < length; i += every) {
      const slot = firstSlot + i;
      if (slot + 1 < range.from || slot + steps >= range.to || !isRead(i)) continue;
      for (let row = i + 1; row <= Math.min(length - 1, i + steps); row++) if (isRead(row)) return;
    }
  }
  const rare = every > 1 ? `an answer every ${every} frames: ` : '';
  throw new DataError(
    `${rare}nothing to score in the ${part} part of ${range.to - range.from} frames, where no answer has a reading ` +
      `of the target and ${steps} frames after it; ` +
      `shorten the horizons${every > 1 ? ' or model.segment' : ''}, or give the part more rows`,
  );
}
