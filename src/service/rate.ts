/** How many a second, lately. */
export interface Rate {
  add(count: number): void;
  perSecond(): number;
}

const bucketMs = 250;
const buckets = 12;

export function createRate(now: () => number = () => performance.now()): Rate {
  const counts = new Float64Array(buckets);
  const startMs = now();
  let newest = 0;
  const advance = () => {
    const bucket = Math.floor((now() - startMs) / bucketMs);
    // after a long silence one round clears them all
    for (let i = Math.max(newest + 1, bucket - buckets + 1); i <= bucket; i++) counts[i % buckets] = 0;
    newest = Math.max(newest, bucket);
  };
  return {
    add(count) {
      advance();
      counts[newest % buckets] += count;
    },
    perSecond() {
      advance();
      const spanMs = Math.min(now() - startMs, (buckets - 1) * bucketMs + ((now() - startMs) % bucketMs));
      return spanMs < bucketMs ? 0 : (counts.reduce((sum, count) => sum + count, 0) * 1000) / spanMs;
    },
  };
}
