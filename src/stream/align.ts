import { concat, concatMap, defer, map, type OperatorFunction, of } from 'rxjs';
import type { Frame } from '../signal/align.ts';
import type { Counters } from './counters.ts';
import type { Origin, Reading, ReadingBatch } from './decode.ts';
import type { AlignedStream, StreamTable } from './stream-table.ts';

export interface StreamFrame extends Frame {
  readonly stream: string;
}

/** Frames of distinct streams: what one kernel call can step. */
export interface Round {
  readonly origin: Origin;
  readonly frames: readonly StreamFrame[];
}

/** Hears of every change of a state, and of what changed none. */
export interface ReadingObserver {
  /** A stream, new or known, is about to get a reading. */
  before(stream: AlignedStream): void;
  /** A live reading has changed its stream's state. */
  taken(reading: Reading): void;
  /** One that the broker has sent before, or perhaps has, was there before, or came too late. */
  repeated(reading: Reading): void;
}

export interface AlignOptions {
  /** Frames a round at most. */
  readonly limit: number;
  /** History has its own accounts, where it was read. */
  readonly counters: Counters;
  readonly table: StreamTable;
  readonly observer?: ReadingObserver | undefined;
}

/** Readings -> rounds of closed frames, one aligner a stream. The end of the input closes every last frame. */
export function align({
  table,
  limit,
  counters,
  observer,
}: AlignOptions): OperatorFunction<ReadingBatch, Round> {
  return (batches) =>
    defer(() => {
      const closed: Frame[] = [];
      let batch = 0;
      // a table may have gone down another road, whose batches had other numbers
      for (const stream of table.streams.values()) stream.batch = -1;
      let rounds: StreamFrame[][] = [];
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
      const push = (reading: Reading, origin: Origin): void => {
        if (reading.again === 'known') {
          // its time is that of another arrival, and would make it a new one
          counters.ended.duplicate++;
          observer?.repeated(reading);
          return;
        }
        const stream = table.open(reading.stream);
        if (stream) observer?.before(stream);
        const { timeMs, feature, value } = reading;
        const ending = stream?.aligner.push(timeMs, feature, value, closed) ?? 'overflow';
        if (stream && closed.length > 0) placeClosed(stream);
        if (origin !== 'live') return;
        counters.ended[ending]++;
        if (ending === 'applied' || ending === 'merged') observer?.taken(reading);
        else if (reading.again && ending !== 'overflow') observer?.repeated(reading);
      };
      const close = ({ origin, readings }: ReadingBatch): Round[] => {
        for (const reading of readings) push(reading, origin);
        return takeRounds(origin);
      };
      const flush = (): Round[] => {
        for (const stream of table.streams.values()) {
          stream.aligner.flush(closed);
          placeClosed(stream);
        }
        return takeRounds('live');
      };
      const ended = defer(() => of(flush()));
      return concat(batches.pipe(map(close)), ended).pipe(concatMap((taken) => taken));
    });
}
