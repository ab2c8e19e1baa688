import { followPath, type JsonPath } from './json-path.ts';
import {
  addValue,
  type Decoded,
  type Decoder,
  decodedOf,
  decodeText,
  gather,
  largestPayload,
  readTime,
  unreadable,
} from './payload.ts';

export interface JsonOptions {
  /** Where the values of the features lie, by index of the feature; undefined for one that does not come this way. */
  readonly features: readonly (JsonPath | undefined)[];
  /** Where the time lies. Undefined: the time of arrival. */
  readonly time?: JsonPath | undefined;
}

/** Flat JSON whose keys are the features' names: `{"time": "2013-01-01T06:00:00Z", "temp": 39.0, "pressure": null}`. */
export function flatJson(names: readonly string[]): JsonOptions {
  return { features: names.map((name) => [name]), time: ['time'] };
}

/** Reads JSON. Other keys may stand beside ours. */
export function jsonDecoder(options: JsonOptions): Decoder {
  return ({ payload, arrivedMs }) => {
    if (payload.length > largestPayload) return unreadable('too large');
    const text = decodeText(payload);
    if (text === undefined) return unreadable('not UTF-8');
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      return unreadable('not JSON');
    }
    return readBody(body, options, arrivedMs);
  };
}

/** What JSON holds once it is parsed. */
export function readBody(body: unknown, { features, time }: JsonOptions, arrivedMs: number): Decoded {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return unreadable('not an object');
  let timeMs = arrivedMs;
  if (time !== undefined) {
    const given = followPath(body, time);
    if (given === undefined) return unreadable('no time');
    timeMs = readTime(given);
    if (Number.isNaN(timeMs)) return unreadable('bad time');
  }
  const gathering = gather(timeMs);
  for (let feature = 0; feature < features.length; feature++) {
    const path = features[feature];
    const value = path && followPath(body, path);
    if (value !== undefined) addValue(gathering, feature, value);
  }
  return decodedOf(gathering);
}
