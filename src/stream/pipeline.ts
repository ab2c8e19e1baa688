import { defer, type OperatorFunction } from 'rxjs';
import type { Engine } from '../engine/engine.ts';
import { align } from './align.ts';
import type { Counters } from './counters.ts';
import { decode, type Message, type Reading } from './decode.ts';
import { denormalize } from './denormalize.ts';
import { encode, type Outcome } from './encode.ts';
import { normalize } from './normalize.ts';
import { predict } from './predict.ts';
import { warm } from './warm.ts';

export interface RoadOptions {
  readonly counters: Counters;
  /** Readings in time order that the states start from. */
  readonly history?: Iterable<readonly Reading[]>;
}

/** The online road, from messages to forecasts. Each subscription has states of its own; nothing in it waits. */
export function road(
  engine: Engine,
  { counters, history = [] }: RoadOptions,
): OperatorFunction<readonly Message[], Outcome> {
  const { id, model } = engine;
  const { names, periodMs } = model.input;
  return (messages) =>
    defer(() => {
      const arena = engine.createArena();
      return messages.pipe(
        decode({ features: names, counters }),
        warm(history),
        align({ periodMs, features: names.length, limit: arena.batchLimit, counters }),
        normalize(arena),
        predict(arena),
        denormalize(arena),
        encode({ model, id }),
      );
    });
}
