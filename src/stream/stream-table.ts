import { type Aligner, type AlignerOptions, createAligners } from '../signal/align.ts';

/** What is kept of a stream beside its slot in the arena. */
export interface AlignedStream {
  readonly name: string;
  readonly aligner: Aligner;
  /** The batch of its newest frame, and the first round of that batch in which it does not occur. */
  batch: number;
  nextRound: number;
}

export interface StreamTableOptions extends AlignerOptions {
  /** Streams at most: a reading of one more has no place to go. */
  readonly maxStreams?: number | undefined;
}

/** The streams of a road, one aligner each. */
export interface StreamTable {
  readonly streams: ReadonlyMap<string, AlignedStream>;
  /** Finds or makes a stream; undefined when there are too many. */
  open(name: string): AlignedStream | undefined;
  /** Some stream was not let in. */
  readonly isOver: boolean;
}

export function createStreamTable({
  maxStreams = Number.POSITIVE_INFINITY,
  ...aligning
}: StreamTableOptions): StreamTable {
  const createNext = createAligners(aligning);
  const streams = new Map<string, AlignedStream>();
  let isOver = false;
  return {
    streams,
    get isOver() {
      return isOver;
    },
    open(name) {
      const known = streams.get(name);
      if (known) return known;
      if (streams.size >= maxStreams) {
        isOver = true;
        return undefined;
      }
      const stream = { name, aligner: createNext(), batch: -1, nextRound: 0 };
      streams.set(name, stream);
      return stream;
    },
  };
}
