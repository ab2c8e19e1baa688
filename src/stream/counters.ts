/** Where a reading ends. Each ends in exactly one. */
const endings = ['applied', 'merged', 'duplicate', 'late', 'retained', 'malformed', 'overflow'] as const;

type Ending = (typeof endings)[number];

/** Why a reading, or a whole payload, could not be understood. */
export type MalformedReason =
  | 'name too long'
  | 'too large'
  | 'not UTF-8'
  | 'not JSON'
  | 'not an object'
  | 'not protobuf'
  | 'no time'
  | 'bad time'
  | 'far future'
  | 'no feature'
  | 'not a number'
  | 'out of range';

/** Counted by the operators of one road, read by whoever shows them. */
export interface Counters {
  readonly ended: Record<Ending, number>;
  /** The malformed ones by reason; a payload that cannot be taken apart counts as one reading. */
  readonly malformed: Partial<Record<MalformedReason, number>>;
}

export function createCounters(): Counters {
  return {
    ended: { applied: 0, merged: 0, duplicate: 0, late: 0, retained: 0, malformed: 0, overflow: 0 },
    malformed: {},
  };
}

export function countMalformed(counters: Counters, reason: MalformedReason, count = 1): void {
  counters.ended.malformed += count;
  counters.malformed[reason] = (counters.malformed[reason] ?? 0) + count;
}

/** All readings that have ended somewhere. */
export function countAll({ ended }: Counters): number {
  return endings.reduce((sum, ending) => sum + ended[ending], 0);
}
