/** One thing that went wrong, as it is said. */
export interface Complaint {
  readonly reason: string;
  readonly topic: string;
  /** The beginning of what was found there. */
  readonly found: string;
  /** How many of the same reason were left unsaid since the last one. */
  readonly since: number;
}

/** Says what goes wrong: at once when a reason is new, and then at most once a minute, with the count since. */
export interface Complaints {
  note(reason: string, topic: string, payload: string | Uint8Array): void;
}

const intervalMs = 60_000;
/** Enough to recognize a payload by. */
const shownBytes = 80;

export function createComplaints(
  say: (complaint: Complaint) => void,
  now: () => number = () => performance.now(),
): Complaints {
  const throttle = createThrottle(now);
  return {
    note(reason, topic, payload) {
      const since = throttle(reason);
      if (since === undefined) return;
      const start = payload.slice(0, shownBytes);
      const found = typeof start === 'string' ? start : new TextDecoder().decode(start);
      say({ reason, topic, found, since });
    },
  };
}

/** The result says of a reason whether its turn has come: how many of it were left unsaid since the last one, or undefined. Every
 * reason is kept: whoever sends rubbish must not choose their words. */
export function createThrottle(
  now: () => number = () => performance.now(),
): (reason: string) => number | undefined {
  const said = new Map<string, { atMs: number; unsaid: number }>();
  return (reason) => {
    const last = said.get(reason);
    if (last && now() - last.atMs < intervalMs) {
      last.unsaid++;
      return undefined;
    }
    said.set(reason, { atMs: now(), unsaid: 0 });
    return last?.unsaid ?? 0;
  };
}
