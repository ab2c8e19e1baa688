import { concat, from, type MonoTypeOperatorFunction, map } from 'rxjs';
import type { Reading, ReadingBatch } from './decode.ts';

/** Sends the past down the road first, at subscription, before anything live is listened to. */
export function warm(history: Iterable<readonly Reading[]>): MonoTypeOperatorFunction<ReadingBatch> {
  const past = from(history).pipe(map((readings): ReadingBatch => ({ origin: 'history', readings })));
  return (live) => concat(past, live);
}
