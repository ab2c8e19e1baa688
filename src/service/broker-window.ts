/** How many messages a broker sends before it wants the first acknowledged. One of MQTT 5 may send fewer than this client would
 * take, and says so nowhere: it shows when the broker stalls until the interval's commit, twice at the same number. */
export interface BrokerWindow {
  /** Infinity while nothing is known. */
  readonly messages: number;
  /** Messages have come: that many wait now. */
  came(waiting: number): void;
  /** That many wait when the interval begins a commit. */
  found(waiting: number): void;
  /** Those of a commit are acknowledged. */
  acknowledged(): void;
}

/** Fewer may be all that a handful of sensors has sent. */
const fewestMessages = 8;
/** Nothing new for that long: the broker has stalled. */
const stalledMs = 100;
/** What comes within that time after the acknowledgement was waiting for it, also far away. */
const atOnceMs = 200;

export function createBrokerWindow(): BrokerWindow {
  let messages = Number.POSITIVE_INFINITY;
  let cameMs = Number.NEGATIVE_INFINITY;
  /** Where it stalls, while that is not yet known to be the acknowledgement's doing. */
  let stall: { readonly waiting: number; endMs: number } | undefined;
  /** Where it stalled the last time; 0 when it did not. */
  let before = 0;
  return {
    get messages() {
      return messages;
    },
    came(waiting) {
      cameMs = performance.now();
      if (stall) {
        const proven = cameMs - stall.endMs <= atOnceMs ? stall.waiting : 0;
        if (proven > 0 && proven === before) messages = proven;
        before = proven;
        stall = undefined;
      }
      if (waiting <= messages) return;
      messages = Number.POSITIVE_INFINITY;
      before = 0;
    },
    found(waiting) {
      const isStalled = waiting >= fewestMessages && performance.now() - cameMs >= stalledMs;
      stall = isStalled ? { waiting, endMs: Number.NEGATIVE_INFINITY } : undefined;
      if (!isStalled) before = 0;
    },
    acknowledged() {
      if (stall) stall.endMs = performance.now();
    },
  };
}
