import type { Publication } from '../stream/encode.ts';

/** Publications that wait for a broker: all of them, in order, while that is a short burst, and then without the oldest
 * of streams that have newer ones; of a broker that is away, of each stream only the newest. */
export interface Outbox {
  readonly size: number;
  /** Replaced by a newer one of their stream. */
  readonly superseded: number;
  /** The oldest, where there were too many streams. */
  readonly dropped: number;
  /** @param inOrder behind the others, while that is a short burst. Else it takes the place of its stream, so that a busy
   * stream waits no longer than the others. */
  add(publication: Publication, inOrder: boolean): void;
  /** Takes back, as the oldest, what was taken and did not arrive; in the order in which it was taken. Keeps of each
   * stream only the newest. */
  addOlder(publications: readonly Publication[]): void;
  /** The oldest, or the stream that has waited longest. */
  take(): Publication | undefined;
}

export interface OutboxLimits {
  /** Publications that wait in order. */
  readonly burst: number;
  readonly streams: number;
}

export function createOutbox(limits: OutboxLimits): Outbox {
  let burst: Publication[] = [];
  let taken = 0;
  /** Stream -> its publications in the burst. */
  const counts = new Map<string, number>();
  // one of the two is empty
  let newest = new Map<string, string | Uint8Array>();
  // kept from one call to the next: a new one would pass over all that is deleted before it
  let cursor = newest.entries();
  let superseded = 0;
  let dropped = 0;
  const set = ({ stream, payload }: Publication) => {
    if (newest.has(stream)) superseded++;
    newest.set(stream, payload);
  };
  const count = (stream: string, change: 1 | -1): number => {
    const now = (counts.get(stream) ?? 0) + change;
    if (now === 0) counts.delete(stream);
    else counts.set(stream, now);
    return now;
  };
  const takeNewest = (): Publication | undefined => {
    if (newest.size === 0) return undefined;
    let next = cursor.next();
    if (next.done) {
      cursor = newest.entries();
      next = cursor.next();
    }
    const [stream, payload] = next.value as [string, string | Uint8Array];
    newest.delete(stream);
    return { stream, payload };
  };
  const takeBurst = (): Publication => {
    const publication = burst[taken++];
    count(publication.stream, -1);
    // one slice for half of the burst, and not one for each
    if (2 * taken >= burst.length) {
      burst = burst.slice(taken);
      taken = 0;
    }
    return publication;
  };
  const trim = () => {
    for (; newest.size > limits.streams; dropped++) takeNewest();
  };
  const endBurst = () => {
    for (; taken < burst.length; taken++) set(burst[taken]);
    burst = [];
    taken = 0;
    counts.clear();
  };
  /** Puts a publication behind the burst; a full one loses its oldest, where its stream has a newer one.
   * @returns false when it has no room */
  const addToBurst = (publication: Publication): boolean => {
    if (burst.length - taken >= limits.burst) {
      const { stream } = burst[taken] ?? publication;
      if (stream !== publication.stream && (counts.get(stream) ?? 0) < 2) return false;
      if (taken === burst.length) return false;
      takeBurst();
      superseded++;
    }
    burst.push(publication);
    count(publication.stream, 1);
    return true;
  };
  return {
    get size() {
      return burst.length - taken + newest.size;
    },
    get superseded() {
      return superseded;
    },
    get dropped() {
      return dropped;
    },
    add(publication, inOrder) {
      if (inOrder && newest.size === 0 && addToBurst(publication)) return;
      endBurst();
      set(publication);
      trim();
    },
    addOlder(publications) {
      endBurst();
      const newer = newest;
      newest = new Map();
      cursor = newest.entries();
      for (const publication of publications) set(publication);
      for (const [stream, payload] of newer) set({ stream, payload });
      trim();
    },
    take: () => (taken < burst.length ? takeBurst() : takeNewest()),
  };
}
