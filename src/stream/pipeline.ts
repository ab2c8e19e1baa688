import { defer, type OperatorFunction } from 'rxjs';
import type { Engine } from '../engine/engine.ts';
import type { Combine } from '../signal/align.ts';
import { align } from './align.ts';
import { type DecodeOptions, decode, type Reading, sharedChannels } from './decode.ts';
import { denormalize } from './denormalize.ts';
import { encode, type Outcome, type PayloadFormat } from './encode.ts';
import { normalize } from './normalize.ts';
import type { Envelope, Message } from './payload.ts';
import { predict } from './predict.ts';
import { warm } from './warm.ts';

export interface RoadOptions<M extends Envelope = Message> extends Omit<DecodeOptions<M>, 'channels'> {
  /** Readings in time order that the states start from. */
  readonly history?: Iterable<readonly Reading[]>;
  /** How several readings in a frame become one; the model's own way when absent. */
  readonly combine?: Combine | undefined;
  readonly latenessMs?: number | undefined;
  readonly maxStreams?: number | undefined;
  readonly format?: PayloadFormat | undefined;
}

/** The online road, from messages to forecasts. Each subscription has states of its own; nothing in it waits. */
export function road<M extends Envelope = Message>(
  { id, model, createArena }: Engine,
  {
    history = [],
    combine = model.input.combine,
    latenessMs,
    maxStreams,
    format,
    ...decoding
  }: RoadOptions<M>,
): OperatorFunction<readonly M[], Outcome> {
  const { features, periodMs } = model.input;
  const { counters } = decoding;
  return (messages) =>
    defer(() => {
      const arena = createArena();
      const limit = arena.batchLimit;
      return messages.pipe(
        decode({ ...decoding, channels: sharedChannels(model) }),
        warm(history),
        align({ periodMs, features, combine, latenessMs, limit, maxStreams, counters }),
        normalize(arena),
        predict(arena),
        denormalize(arena),
        encode({ model, id, format }),
      );
    });
}
