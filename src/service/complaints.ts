import type { MalformedReason } from '../stream/counters.ts';
import type { Log } from './log.ts';

/** Says what was set aside: at once when a reason is new, and then at most once an interval, with the count since. */
export interface Complaints {
  note(reason: MalformedReason, topic: string, payload: Uint8Array): void;
}

const intervalMs = 60_000;
/** Enough to recognize a payload by. */
const shownBytes = 80;

export function createComplaints(log: Log, now: () => number = () => performance.now()): Complaints {
  const said = new Map<MalformedReason, { atMs: number; unsaid: number }>();
  return {
    note(reason, topic, payload) {
      const last = said.get(reason);
      if (last && now() - last.atMs < intervalMs) {
        last.unsaid++;
        return;
      }
      said.set(reason, { atMs: now(), unsaid: 0 });
      const found = new TextDecoder().decode(payload.subarray(0, shownBytes));
      log.warn({ reason, topic, found, since: last?.unsaid ?? 0 }, `set aside a reading: ${reason}`);
    },
  };
}
