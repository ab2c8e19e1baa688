import { map, type OperatorFunction } from 'rxjs';
import { type Counters, countMalformed } from './counters.ts';
import { type FlatJsonOptions, readFlatJson } from './flat-json.ts';

/** What a transport hands over. */
export interface Message {
  readonly stream: string;
  readonly payload: Uint8Array;
  /** A replay of what the broker kept, sent at subscription; not what a sensor says now. */
  readonly retained: boolean;
}

/** One value of one feature at one time. (stream, feature, timeMs) is its identity. */
export interface Reading {
  readonly stream: string;
  readonly timeMs: number;
  /** Index in the model's features. */
  readonly feature: number;
  /** float32; NaN is an explicit missing value. */
  readonly value: number;
}

/** `history` brings states up to now and publishes nothing. */
export type Origin = 'history' | 'live';

/** The readings of one turn of the event loop. */
export interface ReadingBatch {
  readonly origin: Origin;
  readonly readings: readonly Reading[];
}

export interface DecodeOptions extends FlatJsonOptions {
  readonly counters: Counters;
}

/** Messages -> readings. What cannot be understood is counted by reason and left out; a replay never goes on to a state. */
export function decode({
  counters,
  ...format
}: DecodeOptions): OperatorFunction<readonly Message[], ReadingBatch> {
  return map((messages) => {
    const readings: Reading[] = [];
    for (const { stream, payload, retained } of messages) {
      const { timeMs, features, values, malformed } = readFlatJson(payload, format);
      for (const reason of malformed) countMalformed(counters, reason);
      if (retained) {
        counters.ended.retained += features.length;
        continue;
      }
      for (let i = 0; i < features.length; i++) {
        readings.push({ stream, timeMs, feature: features[i], value: values[i] });
      }
    }
    return { origin: 'live', readings };
  });
}
