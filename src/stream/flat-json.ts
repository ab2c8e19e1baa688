import { parseEpochMs, parseTimeMs } from '../signal/times.ts';
import type { MalformedReason } from './counters.ts';

export interface FlatJsonOptions {
  /** The keys of the values, in the model's order. */
  readonly features: readonly string[];
  /** The key of the time stamp. */
  readonly time?: string;
  readonly maxBytes?: number;
}

/** What a payload held: values at one time, by index of the feature, and what was wrong with the others. */
export interface FlatMessage {
  readonly timeMs: number;
  readonly features: readonly number[];
  /** float32, NaN for an explicit null */
  readonly values: readonly number[];
  readonly malformed: readonly MalformedReason[];
}

/** Far above any sensor, and far enough below the end of float32 (3.4e38) for scaling and sums to stay finite. */
const largestValue = 1e24;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads `{"time": "2013-01-01T06:00:00Z", "temp": 39.0, "pressure": null}`. Nothing in a payload makes it throw. */
export function readFlatJson(
  payload: Uint8Array,
  { features: keys, time = 'time', maxBytes = 65_536 }: FlatJsonOptions,
): FlatMessage {
  if (payload.length > maxBytes) return unreadable('too large');
  const body = parseObject(payload);
  if (typeof body === 'string') return unreadable(body);
  if (!Object.hasOwn(body, time)) return unreadable('no time');
  const timeMs = readTime(body[time]);
  if (Number.isNaN(timeMs)) return unreadable('bad time');

  const features: number[] = [];
  const values: number[] = [];
  const malformed: MalformedReason[] = [];
  for (let feature = 0; feature < keys.length; feature++) {
    const key = keys[feature];
    if (!Object.hasOwn(body, key)) continue;
    const value = readValue(body[key]);
    if (typeof value === 'string') {
      malformed.push(value);
    } else {
      features.push(feature);
      values.push(value);
    }
  }
  if (features.length + malformed.length === 0) return unreadable('no feature');
  return { timeMs, features, values, malformed };
}

function unreadable(reason: MalformedReason): FlatMessage {
  return { timeMs: Number.NaN, features: [], values: [], malformed: [reason] };
}

function parseObject(payload: Uint8Array): Record<string, unknown> | MalformedReason {
  let text: string;
  try {
    text = utf8.decode(payload);
  } catch {
    return 'not UTF-8';
  }
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'not an object';
    return body as Record<string, unknown>;
  } catch {
    return 'not JSON';
  }
}

function readTime(value: unknown): number {
  if (typeof value === 'number') return parseEpochMs(value);
  return typeof value === 'string' ? parseTimeMs(value) : Number.NaN;
}

function readValue(value: unknown): number | MalformedReason {
  if (value === null) return Number.NaN;
  if (typeof value !== 'number') return 'not a number';
  // rounded to float32 once, here: JSON and protobuf then give the same bits
  return Math.abs(value) > largestValue ? 'out of range' : Math.fround(value);
}
