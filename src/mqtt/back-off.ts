export interface BackOffOptions {
  /** The longest first delay, default 500; each try doubles it. */
  readonly firstMs?: number;
  /** Default 30,000. */
  readonly maxMs?: number;
  /** A connection that lasted this long was a good one: the next delay is a first one again. Default 10,000. */
  readonly stableMs?: number;
}

export interface BackOff {
  nextMs(): number;
  reset(): void;
}

/** Delays that double, each cut by chance: a thousand clients of one broker must not come back in step. */
export function createBackOff({ firstMs, maxMs }: { firstMs: number; maxMs: number }): BackOff {
  let tries = 0;
  return {
    nextMs() {
      const longest = Math.min(maxMs, firstMs * 2 ** tries);
      tries++;
      return longest * (0.5 + Math.random() / 2);
    },
    reset() {
      tries = 0;
    },
  };
}
