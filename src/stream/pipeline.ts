import { defer, type OperatorFunction, pipe } from 'rxjs';
import type { Arena } from '../engine/arena.ts';
import type { Engine } from '../engine/engine.ts';
import type { Combine } from '../signal/align.ts';
import { type AlignOptions, align, type ReadingObserver } from './align.ts';
import { type DecodeOptions, decode, type Reading, type ReadingBatch, sharedChannels } from './decode.ts';
import { type Answers, denormalize } from './denormalize.ts';
import { encode, type Outcome, type PayloadFormat } from './encode.ts';
import { normalize } from './normalize.ts';
import type { Envelope, Message } from './payload.ts';
import { predict } from './predict.ts';
import { createStreamTable, type StreamTable } from './stream-table.ts';
import { warm } from './warm.ts';

export interface RoadOptions<M extends Envelope = Message> extends Omit<DecodeOptions<M>, 'channels'> {
  /** Readings in time order that the states start from. */
  readonly history?: Iterable<readonly Reading[]>;
  /** How several readings in a frame become one; the model's own way when absent. */
  readonly combine?: Combine | undefined;
  readonly latenessMs?: number | undefined;
  readonly maxStreams?: number | undefined;
  /** States that somebody else keeps and looks at too; of its own a subscription when absent. */
  readonly memory?: StreamMemory | undefined;
  readonly observer?: ReadingObserver | undefined;
  readonly format?: PayloadFormat | undefined;
}

/** All that a road knows of its streams. */
export interface StreamMemory {
  readonly table: StreamTable;
  readonly arena: Arena;
  /** How frames are closed: an open one can only go on in the same way. */
  readonly aligning: string;
}

export function createStreamMemory(
  { model, createArena }: Engine,
  {
    combine = model.input.combine,
    latenessMs = 0,
    maxStreams,
  }: Pick<RoadOptions, 'combine' | 'latenessMs' | 'maxStreams'>,
): StreamMemory {
  const { features, periodMs } = model.input;
  return {
    table: createStreamTable({ periodMs, features, combine, latenessMs, maxStreams }),
    arena: createArena(),
    aligning: JSON.stringify({ periodMs, combine, latenessMs }),
  };
}

/** The online road, from messages to forecasts. Each subscription has states of its own; nothing in it waits. */
export function road<M extends Envelope = Message>(
  engine: Engine,
  {
    history = [],
    combine,
    latenessMs,
    maxStreams,
    format,
    memory: kept,
    observer,
    ...decoding
  }: RoadOptions<M>,
): OperatorFunction<readonly M[], Outcome> {
  const { id, model } = engine;
  const { counters } = decoding;
  return (messages) =>
    defer(() => {
      const memory = kept ?? createStreamMemory(engine, { combine, latenessMs, maxStreams });
      return messages.pipe(
        decode({ ...decoding, channels: sharedChannels(model) }),
        warm(history),
        step(memory, { counters, observer }),
        encode({ model, id, format }),
      );
    });
}

/** The part of the road that has states: from readings to answers. */
export function step(
  { table, arena }: StreamMemory,
  { counters, observer }: Pick<AlignOptions, 'counters' | 'observer'>,
): OperatorFunction<ReadingBatch, Answers> {
  return pipe(
    align({ table, limit: arena.batchLimit, counters, observer }),
    normalize(arena),
    predict(arena),
    denormalize(arena),
  );
}
