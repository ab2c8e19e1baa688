import type { StreamHealth } from '../dashboard/view.ts';
import type { Model } from '../model/model.ts';
import type { Reading } from '../stream/decode.ts';
import type { Answers } from '../stream/denormalize.ts';
import {
  createStreamRecords,
  type SavedAnswer,
  type StreamRecord,
  type StreamRecords,
} from './stream-records.ts';

/** What the service knows of its streams: fed by the road, read by the page and the log. */
export interface Monitor {
  readonly records: Pick<StreamRecords, 'size' | 'errors'>;
  /** Undefined where nothing was heard of it. */
  find(stream: string): StreamRecord | undefined;
  /** Names of all streams, in the order of the alphabet. */
  names(): readonly string[];
  noteOutcome(answers: Answers, arrivedMs: number): void;
  noteRetained(readings: readonly Reading[]): void;
  /** The newest answer of a stream, for `restore`; undefined before the first. */
  save(stream: string): SavedAnswer | undefined;
  /** What was known of a stream before a restart. */
  restore(stream: string, answer: SavedAnswer): void;
  healthOf(record: StreamRecord): StreamHealth;
  /** Streams that were heard and have been silent for too long. */
  countStale(): number;
}

export interface MonitorOptions {
  readonly model: Model;
  /** A stream that was silent for that long is stale. Nothing but what is shown depends on it. */
  readonly staleAfterMs: number;
  /** Keep what a chart shows. */
  readonly charted: boolean;
  /** A replay of the broker makes no more streams than that. */
  readonly maxStreams: number;
  readonly now?: () => number;
}

/** Names that earn a sorting a millisecond of rest: a handful is sorted at once, 10,000 every two seconds. */
const namesAMs = 5;

const collator = new Intl.Collator('en', { numeric: true });

export function createMonitor(options: MonitorOptions): Monitor {
  const { model, staleAfterMs, charted, maxStreams, now = Date.now } = options;
  const records = createStreamRecords(model, charted);
  let sorted: string[] = [];
  let sortedMs = Number.NEGATIVE_INFINITY;
  const isStale = (arrivedMs: number) => now() - arrivedMs > staleAfterMs;
  return {
    records,
    find(stream) {
      const number = records.numberOf(stream);
      return number === undefined ? undefined : records.look(number);
    },
    names() {
      // many new streams in a row would be sorted over and over
      const isDue = performance.now() - sortedMs > sorted.length / namesAMs;
      if (sorted.length !== records.size && isDue) {
        sorted = [...records.names()].sort(collator.compare);
        sortedMs = performance.now();
      }
      return sorted;
    },
    noteOutcome({ origin, answers }, arrivedMs) {
      const isLive = origin === 'live';
      for (const { frame, result } of answers) {
        const number = records.open(frame.stream);
        records.noteFrame(number, frame.timeMs, frame.values, arrivedMs, isLive);
        if (result.kind === 'forecast') records.noteForecast(number, result, isLive);
      }
    },
    noteRetained(readings) {
      for (const { stream, feature, timeMs, value } of readings) {
        if (records.numberOf(stream) === undefined && records.size >= maxStreams) continue;
        records.noteRetained(records.open(stream), feature, timeMs, value);
      }
    },
    save(stream) {
      const number = records.numberOf(stream);
      return number === undefined ? undefined : records.save(number);
    },
    restore: (stream, answer) => records.restore(records.open(stream), answer),
    healthOf(record) {
      if (record.health === undefined) return 'silent';
      return isStale(record.arrivedMs) ? 'stale' : record.health;
    },
    countStale() {
      let count = 0;
      for (let number = 0; number < records.size; number++) if (isStale(records.arrivedMs(number))) count++;
      return count;
    },
  };
}
