/** Called once: without an error when the broker has acknowledged a publication (QoS 1) or it was written (QoS 0). */
export type Done = (error?: Error) => void;

/** Publications under way on one connection. MQTT.js forgets the callbacks of some when the connection closes. */
export interface Unfinished {
  readonly size: number;
  /** Registers a publication; the result ends it. */
  add(done: Done): Done;
  /** Ends all of them, the oldest first. */
  endAll(error: Error): void;
  /** Resolves when none is left, those included that others hand in as they end. */
  drained(): Promise<void>;
}

export function createUnfinished(): Unfinished {
  const all = new Set<Done>();
  const waiters: (() => void)[] = [];
  return {
    get size() {
      return all.size;
    },
    add(done) {
      const end: Done = (error) => {
        if (!all.delete(end)) return;
        done(error);
        if (all.size === 0) for (const resolve of waiters.splice(0)) resolve();
      };
      all.add(end);
      return end;
    },
    endAll(error) {
      for (const end of [...all]) end(error);
    },
    drained: () =>
      new Promise((resolve) => {
        if (all.size === 0) resolve();
        else waiters.push(resolve);
      }),
  };
}
