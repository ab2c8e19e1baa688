import { cellstream } from '#proto/telemetry.js';
import { largestTimeMs } from '../signal/times.ts';
import { addValue, type Decoder, decodedOf, gather, largestPayload, unreadable } from './payload.ts';

export interface ProtobufOptions {
  /** The names that the messages give the features, by index of the feature. */
  readonly features: readonly (string | undefined)[];
  /** A message without a time is of the moment that it arrives. */
  readonly timeOfArrival?: boolean | undefined;
}

/** Reads `cellstream.Reading` of proto/telemetry.proto. */
export function protobufDecoder({ features, timeOfArrival = false }: ProtobufOptions): Decoder {
  const indices = new Map(features.map((name, feature) => [name, feature]));
  return ({ payload, arrivedMs }) => {
    if (payload.length > largestPayload) return unreadable('too large');
    let reading: cellstream.Reading;
    try {
      reading = cellstream.Reading.decode(payload);
    } catch {
      return unreadable('not protobuf');
    }
    const { timeMs: given, values } = reading;
    const timeMs = given ?? (timeOfArrival ? arrivedMs : undefined);
    if (timeMs === undefined) return unreadable('no time');
    if (!(Math.abs(timeMs) <= largestTimeMs)) return unreadable('bad time');
    const gathering = gather(timeMs);
    for (const { feature, value } of values) {
      const index = indices.get(feature ?? '');
      if (index !== undefined) addValue(gathering, index, value ?? null);
    }
    return decodedOf(gathering);
  };
}
