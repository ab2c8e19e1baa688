import { map, type OperatorFunction } from 'rxjs';
import type { Model } from '../model/model.ts';
import { type Counters, countMalformed, type MalformedReason } from './counters.ts';
import {
  type Again,
  type Decoded,
  type Decoder,
  type Envelope,
  type Message,
  unreadable,
} from './payload.ts';

/** One value of one feature at one time. (stream, feature, timeMs) is its identity. */
export interface Reading {
  readonly stream: string;
  readonly timeMs: number;
  /** Index in the model's features. */
  readonly feature: number;
  /** float32; NaN is an explicit missing value. */
  readonly value: number;
  readonly again?: Again;
}

/** `history` brings states up to now and publishes nothing. */
export type Origin = 'history' | 'live';

/** The readings of one turn of the event loop. */
export interface ReadingBatch {
  readonly origin: Origin;
  readonly readings: readonly Reading[];
}

export interface DecodeOptions<M extends Envelope = Message> {
  /** By route. */
  readonly decoders: readonly Decoder<M>[];
  readonly counters: Counters;
  /** Where weights are shared over channels each feature is a stream of its own, `<stream>/<name>`: the names. */
  readonly channels?: readonly string[] | undefined;
  /** The newest event time of a stream, -Infinity for an unknown one. Beside it, and not beside a clock that is behind, a
   * reading is not far ahead: a device without a battery starts with the time of its last stop. */
  readonly newestMs?: ((stream: string) => number) | undefined;
  /** Something of a message was set aside. */
  readonly onMalformed?: ((reason: MalformedReason, message: M) => void) | undefined;
  /** What the broker had kept: for a display, never for a state. */
  readonly onRetained?: ((readings: readonly Reading[]) => void) | undefined;
}

/** A reading from further ahead of the clock, and of its stream, would make the stream deaf to all that follows; clocks that are
 * off by a time zone are not. */
export const farthestAheadMs = 24 * 3_600_000;

/** A name is a level of a topic, and stands on a page and in its address. */
const longestName = 256;

/** Messages -> readings. What cannot be understood is counted by reason and left out; a replay never goes on to a state. */
export function decode<M extends Envelope = Message>(
  options: DecodeOptions<M>,
): OperatorFunction<readonly M[], ReadingBatch> {
  const { decoders, counters, channels, onRetained } = options;
  return map((messages) => {
    const readings: Reading[] = [];
    for (const message of messages) {
      const decoded = decodeOne(message, decoders);
      const isFar = isFarAhead(decoded, message, readings, options);
      countBad(decoded, isFar, message, options);
      if (isFar) continue;
      if (message.retained) {
        counters.ended.retained += decoded.features.length;
        if (onRetained) onRetained(addReadings([], message, decoded, channels));
        continue;
      }
      addReadings(readings, message, decoded, channels);
    }
    return { origin: 'live', readings };
  });
}

function decodeOne<M extends Envelope>(message: M, decoders: readonly Decoder<M>[]): Decoded {
  if (message.stream.length > longestName) return unreadable('name too long');
  if (message.skippedBytes !== undefined) return unreadable('too large');
  return decoders[message.route](message);
}

function countBad<M extends Envelope>(
  decoded: Decoded,
  isFar: boolean,
  message: M,
  { counters, onMalformed }: DecodeOptions<M>,
): void {
  for (const reason of decoded.malformed) {
    countMalformed(counters, reason);
    onMalformed?.(reason, message);
  }
  if (!isFar) return;
  countMalformed(counters, 'far future', decoded.features.length);
  onMalformed?.('far future', message);
}

/** @param before the readings of the turn until now */
function isFarAhead<M extends Envelope>(
  { timeMs, features }: Decoded,
  { stream, arrivedMs }: Envelope,
  before: readonly Reading[],
  { newestMs, channels }: DecodeOptions<M>,
): boolean {
  if (features.length === 0 || timeMs - arrivedMs <= farthestAheadMs) return false;
  const name = streamName(stream, features[0], channels);
  let newest = newestMs?.(name) ?? Number.NEGATIVE_INFINITY;
  for (const reading of before) if (reading.stream === name) newest = Math.max(newest, reading.timeMs);
  return timeMs - newest > farthestAheadMs;
}

function streamName(stream: string, feature: number, channels: readonly string[] | undefined): string {
  return channels === undefined ? stream : `${stream}/${channels[feature]}`;
}

function addReadings(
  readings: Reading[],
  { stream, again }: Envelope,
  { timeMs, features, values }: Decoded,
  channels: readonly string[] | undefined,
): Reading[] {
  for (let i = 0; i < features.length; i++) {
    const feature = features[i];
    const name = streamName(stream, feature, channels);
    const index = channels === undefined ? feature : 0;
    readings.push({ stream: name, timeMs, feature: index, value: values[i], ...(again && { again }) });
  }
  return readings;
}

/** The features that sensors send to this model: those of its input, or of its channels. */
export function sensorFeatures({ input }: Model): readonly string[] {
  if (!input.shared) return input.names;
  return [...new Set(input.channels.map((channel) => channel.slice(channel.lastIndexOf('/') + 1)))];
}

/** `channels` of DecodeOptions for a model. */
export function sharedChannels(model: Model): readonly string[] | undefined {
  return model.input.shared ? sensorFeatures(model) : undefined;
}
