import { type MonoTypeOperatorFunction, tap } from 'rxjs';
import type { Arena } from '../engine/arena.ts';
import type { ReadyRound } from './normalize.ts';

/** One kernel call steps every state of the round. */
export function predict(arena: Arena): MonoTypeOperatorFunction<ReadyRound> {
  return tap(() => arena.predict());
}
