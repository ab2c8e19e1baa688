import { filter, map, type OperatorFunction, pipe } from 'rxjs';
import type { Arena } from '../engine/arena.ts';
import type { Round } from './align.ts';

export interface ReadyRound extends Round {
  /** When the round began, for the step time. Nothing that changes a state reads it. */
  readonly startedMs: number;
}

/** Puts a round's frames into the arena's batch; frames that its streams have stepped past are left out. */
export function normalize(arena: Arena): OperatorFunction<Round, ReadyRound> {
  return pipe(
    map(({ origin, frames }) => {
      const startedMs = performance.now();
      const ready = frames.filter(
        ({ stream, timeMs, values }) => arena.normalize(arena.open(stream), timeMs, values) === 'ready',
      );
      return { origin, frames: ready, startedMs };
    }),
    filter(({ frames }) => frames.length > 0),
  );
}
