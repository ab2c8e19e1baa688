import type { StreamHealth } from '../dashboard/view.ts';
import type { Model } from '../model/model.ts';
import type { Reading } from '../stream/decode.ts';
import type { Answers } from '../stream/denormalize.ts';
import { createStreamRecord, type SavedAnswer, type StreamRecord } from './stream-record.ts';

/** What the service knows of its streams: fed by the road, read by the page and the log. */
export interface Monitor {
  readonly records: ReadonlyMap<string, StreamRecord>;
  /** Names of all streams, in the order of the alphabet. */
  names(): readonly string[];
  noteOutcome(answers: Answers, arrivedMs: number): void;
  noteRetained(readings: readonly Reading[]): void;
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
  const records = new Map<string, StreamRecord>();
  let sorted: string[] = [];
  let sortedMs = Number.NEGATIVE_INFINITY;
  const find = (stream: string): StreamRecord => {
    const known = records.get(stream);
    if (known) return known;
    const record = createStreamRecord(stream, model, charted);
    records.set(stream, record);
    return record;
  };
  const isStale = ({ arrivedMs }: StreamRecord) => now() - arrivedMs > staleAfterMs;
  return {
    records,
    names() {
      // many new streams in a row would be sorted over and over
      const isDue = performance.now() - sortedMs > sorted.length / namesAMs;
      if (sorted.length !== records.size && isDue) {
        sorted = [...records.keys()].sort(collator.compare);
        sortedMs = performance.now();
      }
      return sorted;
    },
    noteOutcome({ origin, answers }, arrivedMs) {
      const isLive = origin === 'live';
      for (const { frame, result } of answers) {
        const record = find(frame.stream);
        record.noteFrame(frame.timeMs, frame.values, arrivedMs, isLive);
        if (result.kind === 'forecast') record.noteForecast(result, isLive);
      }
    },
    noteRetained(readings) {
      for (const { stream, feature, timeMs, value } of readings) {
        if (!records.has(stream) && records.size >= maxStreams) continue;
        find(stream).noteRetained(feature, timeMs, value);
      }
    },
    restore: (stream, answer) => find(stream).restore(answer),
    healthOf(record) {
      if (record.health === undefined) return 'silent';
      return isStale(record) ? 'stale' : record.health;
    },
    countStale() {
      let count = 0;
      for (const record of records.values()) if (isStale(record)) count++;
      return count;
    },
  };
}
