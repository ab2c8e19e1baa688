import { concat, concatMap, defer, map, type OperatorFunction, of } from 'rxjs';
import { type Aligner, type AlignerOptions, createAligners, type Frame } from '../signal/align.ts';
import type { Counters } from './counters.ts';
import type { Origin, ReadingBatch } from './decode.ts';

export interface StreamFrame extends Frame {
  readonly stream: string;
}

/** Frames of distinct streams: what one kernel call can step. */
export interface Round {
  readonly origin: Origin;
  readonly frames: readonly StreamFrame[];
}

export interface AlignOptions extends AlignerOptions {
  /** Frames a round at most. */
  readonly limit: number;
  /** Streams at most: a reading of one more has no place to go. */
  readonly maxStreams?: number | undefined;
  /** History has its own accounts, where it was read. */
  readonly counters: Counters;
}

/** What is kept of a stream. */
interface AlignedStream {
  readonly name: string;
  readonly aligner: Aligner;
  /** The batch of its newest frame, and the first round of that batch in which it does not occur. */
  batch: number;
  nextRound: number;
}

/** Readings -> rounds of closed frames, one aligner a stream. The end of the input closes every last frame. */
export function align(options: AlignOptions): OperatorFunction<ReadingBatch, Round> {
  const { limit, counters, maxStreams = Number.POSITIVE_INFINITY, ...aligning } = options;
  return (batches) =>
    defer(() => {
      const createNext = createAligners(aligning);
      const streams = new Map<string, AlignedStream>();
      const closed: Frame[] = [];
      let batch = 0;
      let rounds: StreamFrame[][] = [];
      const find = (name: string): AlignedStream | undefined => {
        const known = streams.get(name);
        if (known || streams.size >= maxStreams) return known;
        const stream = { name, aligner: createNext(), batch, nextRound: 0 };
        streams.set(name, stream);
        return stream;
      };
      /** A stream's second frame goes into the second round: a round steps each state once. */
      const placeClosed = (stream: AlignedStream) => {
        if (stream.batch !== batch) stream.nextRound = 0;
        stream.batch = batch;
        for (const { timeMs, values } of closed) {
          let round = stream.nextRound;
          while (rounds[round]?.length === limit) round++;
          if (round === rounds.length) rounds.push([]);
          rounds[round].push({ stream: stream.name, timeMs, values });
          stream.nextRound = round + 1;
        }
        closed.length = 0;
      };
      const takeRounds = (origin: Origin): Round[] => {
        const taken = rounds.map((frames) => ({ origin, frames }));
        rounds = [];
        batch++;
        return taken;
      };
      const close = ({ origin, readings }: ReadingBatch): Round[] => {
        for (const { stream: name, timeMs, feature, value } of readings) {
          const stream = find(name);
          const ending = stream?.aligner.push(timeMs, feature, value, closed) ?? 'overflow';
          if (origin === 'live') counters.ended[ending]++;
          if (stream && closed.length > 0) placeClosed(stream);
        }
        return takeRounds(origin);
      };
      const flush = (): Round[] => {
        for (const stream of streams.values()) {
          stream.aligner.flush(closed);
          placeClosed(stream);
        }
        return takeRounds('live');
      };
      const ended = defer(() => of(flush()));
      return concat(batches.pipe(map(close)), ended).pipe(concatMap((taken) => taken));
    });
}
