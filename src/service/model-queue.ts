import type { Log } from './log.ts';

/** A model that somebody would have served. */
export interface Offer {
  readonly bytes: () => Uint8Array;
  readonly from: 'seenFile' | 'seenTopic' | 'shelf';
  /** Whether one that was looked at before is judged anew. */
  readonly isAsked: boolean;
}

export interface ModelQueueOptions {
  readonly consider: (offer: Offer) => Promise<void>;
  readonly models: { superseded: number };
  readonly log: Log;
  /** Aborted when the service stops. */
  readonly signal: AbortSignal;
}

/** What is to be done about models, one after the other. */
export interface ModelQueue {
  /** Of a place that is full of models only the newest waits; of those that came by MQTT the others are counted. */
  offer(offer: Offer): void;
  enqueue(work: () => Promise<void>): void;
  /** Resolves when all that was given until now has been done. */
  emptied(): Promise<void>;
}

export function createModelQueue({ consider, models, log, signal }: ModelQueueOptions): ModelQueue {
  const waiting = new Map<Offer['from'], Offer>();
  let queue = Promise.resolve();

  function enqueue(work: () => Promise<void>): void {
    queue = queue.then(work).catch((error: Error) => {
      if (!signal.aborted) log.error({ reason: error.message }, 'a model could not be taken');
    });
  }

  return {
    offer(offered) {
      const { from } = offered;
      const before = waiting.get(from);
      // a replay, or another look at the file, takes nothing back of what was asked for
      waiting.set(from, before?.isAsked ? { ...offered, isAsked: true } : offered);
      if (before !== undefined) {
        if (from === 'seenTopic') models.superseded++;
        return;
      }
      enqueue(async () => {
        const newest = waiting.get(from) as Offer;
        waiting.delete(from);
        await consider(newest);
      });
    },
    enqueue,
    emptied: () => queue,
  };
}
