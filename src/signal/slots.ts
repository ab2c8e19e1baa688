/** The time slot of a time stamp. Phases, gaps and ring positions all follow from it, never from a message count. */
export function slotOf(timeMs: number, periodMs: number): number {
  return Math.floor(timeMs / periodMs);
}

export function phaseOf(slot: number, phases: number): number {
  return placeOf(slot, phases);
}

/** Where a slot lies among `length` places that go round: the remainder, never negative. Three times as fast as %, which is a
 * call for numbers beyond int32; the quotient may be rounded to the next whole number, which the last line mends. */
export function placeOf(slot: number, length: number): number {
  const place = slot - Math.floor(slot / length) * length;
  return place < 0 ? place + length : place >= length ? place - length : place;
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
