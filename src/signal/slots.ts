/** The time slot of a time stamp. Phases, gaps and ring positions all follow from it, never from a message count. */
export function slotOf(timeMs: number, periodMs: number): number {
  return Math.floor(timeMs / periodMs);
}

export function phaseOf(slot: number, phases: number): number {
  return ((slot % phases) + phases) % phases;
}

export type Advance = 'late' | 'restart' | number;

/** What the frame of `slot` means for a stream last stepped at `lastSlot` (NaN: never): the count of missing
 * slots to step with filled values first, a cold restart, or a frame that comes too late to step anything. */
export function planAdvance(lastSlot: number, slot: number, gapLimit: number): Advance {
  if (Number.isNaN(lastSlot)) return 'restart';
  if (slot <= lastSlot) return 'late';
  const missing = slot - lastSlot - 1;
  return missing > gapLimit ? 'restart' : missing;
}
