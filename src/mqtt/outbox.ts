/** Publications that wait for a broker: of each stream only the newest. */
export interface Outbox {
  readonly size: number;
  /** Replaced by a newer one of their stream. */
  readonly superseded: number;
  /** The oldest, where there were too many streams. */
  readonly dropped: number;
  /** A newer publication takes the place of its stream, so that a busy stream waits no longer than the others. */
  add(stream: string, payload: string | Uint8Array): void;
  /** Takes back, as the oldest, what was taken and did not arrive; in the order in which it was taken. */
  addOlder(publications: readonly Publication[]): void;
  /** The stream that has waited longest. */
  take(): Publication | undefined;
}

export interface Publication {
  readonly stream: string;
  readonly payload: string | Uint8Array;
}

/** @param limit streams at most */
export function createOutbox(limit: number): Outbox {
  let waiting = new Map<string, string | Uint8Array>();
  // kept from one call to the next: a new one would pass over all that is deleted before it
  let cursor = waiting.entries();
  let superseded = 0;
  let dropped = 0;
  const set = (stream: string, payload: string | Uint8Array) => {
    if (waiting.has(stream)) superseded++;
    waiting.set(stream, payload);
  };
  const take = (): Publication | undefined => {
    if (waiting.size === 0) return undefined;
    let next = cursor.next();
    if (next.done) {
      cursor = waiting.entries();
      next = cursor.next();
    }
    const [stream, payload] = next.value as [string, string | Uint8Array];
    waiting.delete(stream);
    return { stream, payload };
  };
  const trim = () => {
    for (; waiting.size > limit; dropped++) take();
  };
  return {
    get size() {
      return waiting.size;
    },
    get superseded() {
      return superseded;
    },
    get dropped() {
      return dropped;
    },
    add(stream, payload) {
      set(stream, payload);
      trim();
    },
    addOlder(publications) {
      const newer = waiting;
      waiting = new Map();
      cursor = waiting.entries();
      for (const { stream, payload } of publications) set(stream, payload);
      for (const [stream, payload] of newer) set(stream, payload);
      trim();
    },
    take,
  };
}
