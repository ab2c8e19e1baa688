import type { Delivery } from '../mqtt/intake.ts';
import type { TopicPattern } from '../mqtt/topic.ts';
import { createComplaints } from '../service/complaints.ts';
import { type Counters, countMalformed, createCounters, type MalformedReason } from '../stream/counters.ts';
import { farthestAheadMs } from '../stream/decode.ts';
import type { PayloadReader } from './record-payload.ts';
import { createRowGatherer } from './record-rows.ts';
import type { Recording } from './recording.ts';

export interface RecorderOptions {
  readonly topics: TopicPattern;
  readonly read: PayloadReader;
  readonly recording: Recording;
  readonly warn: (line: string) => void;
  readonly now?: (() => number) | undefined;
}

/** Turns what a broker delivers into the rows of a recording. */
export interface Recorder {
  /** Retained replays are not among them. */
  readonly messages: number;
  readonly streams: number;
  readonly counters: Counters;
  /** Key -> messages in which it held something else than a number. */
  readonly ignored: ReadonlyMap<string, number>;
  take(delivery: Delivery): void;
  /** Writes the rows that are held. */
  end(): void;
}

/** Keys that are warned of: whoever makes a new one for each message is told so once. */
const ignoredLimit = 64;

export function createRecorder(options: RecorderOptions): Recorder {
  const { topics, read, recording, warn, now = Date.now } = options;
  const counters = createCounters();
  const rows = createRowGatherer({ counters, write: recording.write });
  const ignored = new Map<string, number>();
  const complaints = createComplaints(({ reason, topic, found, since }) => {
    const more = since > 0 ? `, ${since} more since the last such line` : '';
    warn(`set aside on ${topic}: ${reason}, found ${JSON.stringify(found)}${more}`);
  }, now);
  let messages = 0;
  let isFull = false;

  const ignore = (key: string, kind: string, topic: string) => {
    const before = ignored.get(key);
    if (before === undefined && ignored.size === ignoredLimit) return;
    if (before === undefined) warn(`'${key}' holds ${kind} on ${topic}: left out, only numbers are recorded`);
    ignored.set(key, (before ?? 0) + 1);
  };
  /** The numbers that have a column. A null makes none: nobody knows yet that numbers will follow. */
  const admit = (numbers: ReadonlyMap<string, number>, topic: string) => {
    const admitted = new Map<string, number>();
    for (const [name, value] of numbers) {
      const admission = Number.isNaN(value) ? 'admitted' : recording.admit(name);
      if (admission === 'admitted') admitted.set(name, value);
      else if (admission === 'reserved') ignore(name, 'a number under a name that no column can have', topic);
      else {
        counters.ended.overflow++;
        if (!isFull)
          warn(`'${name}' on ${topic}: left out, there are ${recording.columns.length} columns already`);
        isFull = true;
      }
    }
    return admitted;
  };
  const setAside = (reason: MalformedReason, { topic, payload }: Delivery, count = 1) => {
    countMalformed(counters, reason, count);
    complaints.note(reason, topic, payload);
  };

  return {
    counters,
    ignored,
    get messages() {
      return messages;
    },
    get streams() {
      return rows.streams;
    },
    take(delivery) {
      const { topic, retain } = delivery;
      if (retain) {
        counters.ended.retained++;
        return;
      }
      messages++;
      const arrivedMs = now();
      const match = topics.match(topic);
      // an empty level, which + matches too
      if (!match) return setAside('no feature', delivery);
      if (delivery.skippedBytes !== undefined) return setAside('too large', delivery);
      const envelope = { route: 0, retained: false, arrivedMs };
      const found = read({ ...envelope, ...match, payload: delivery.payload });
      const { timeMs, numbers, malformed } = found;
      for (const [key, kind] of found.ignored) ignore(key, kind, topic);
      for (const reason of malformed) setAside(reason, delivery);
      if (numbers.size === 0) return;
      if (timeMs !== undefined && timeMs - arrivedMs > farthestAheadMs) {
        return setAside('far future', delivery, numbers.size);
      }
      const admitted = admit(numbers, topic);
      if (admitted.size > 0) rows.add({ stream: match.stream, timeMs, arrivedMs, numbers: admitted });
    },
    end: rows.end,
  };
}
