import { concat, concatMap, defer, map, type OperatorFunction, of } from 'rxjs';
import { type Aligner, type AlignerOptions, createAligner, type Frame } from '../signal/align.ts';
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

/** Readings -> rounds of closed frames, one aligner a stream. The end of the input closes every last frame. */
export function align(options: AlignOptions): OperatorFunction<ReadingBatch, Round> {
  const { limit, counters, maxStreams = Number.POSITIVE_INFINITY, ...aligning } = options;
  return (batches) =>
    defer(() => {
      const aligners = new Map<string, Aligner>();
      const find = (stream: string): Aligner | undefined => {
        const known = aligners.get(stream);
        if (known || aligners.size >= maxStreams) return known;
        const aligner = createAligner(aligning);
        aligners.set(stream, aligner);
        return aligner;
      };
      const close = ({ origin, readings }: ReadingBatch): Round[] => {
        const frames: StreamFrame[] = [];
        const closed: Frame[] = [];
        for (const { stream, timeMs, feature, value } of readings) {
          const ending = find(stream)?.push(timeMs, feature, value, closed) ?? 'overflow';
          if (origin === 'live') counters.ended[ending]++;
          nameFrames(stream, closed, frames);
        }
        return splitRounds(origin, frames, limit);
      };
      const flush = (): Round[] => {
        const frames: StreamFrame[] = [];
        for (const [stream, aligner] of aligners) {
          const closed: Frame[] = [];
          aligner.flush(closed);
          nameFrames(stream, closed, frames);
        }
        return splitRounds('live', frames, limit);
      };
      const ended = defer(() => of(flush()));
      return concat(batches.pipe(map(close)), ended).pipe(concatMap((rounds) => rounds));
    });
}

function nameFrames(stream: string, closed: Frame[], frames: StreamFrame[]): void {
  for (const { timeMs, values } of closed) frames.push({ stream, timeMs, values });
  closed.length = 0;
}

/** A stream's second frame goes into the second round: a round steps each state once. */
function splitRounds(origin: Origin, frames: readonly StreamFrame[], limit: number): Round[] {
  const rounds: StreamFrame[][] = [];
  const nextRound = new Map<string, number>();
  for (const frame of frames) {
    let round = nextRound.get(frame.stream) ?? 0;
    while (rounds[round]?.length === limit) round++;
    const list = rounds[round];
    if (list) list.push(frame);
    else rounds.push([frame]);
    nextRound.set(frame.stream, round + 1);
  }
  return rounds.map((list) => ({ origin, frames: list }));
}
