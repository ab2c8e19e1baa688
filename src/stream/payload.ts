import { parseEpochMs, parseTimeMs } from '../signal/times.ts';
import type { MalformedReason } from './counters.ts';

/** Whether the broker has delivered it before: perhaps, as it says itself, or for certain, and it was read. */
export type Again = 'perhaps' | 'known';

/** What is known of a message before it is read. */
export interface Envelope {
  /** The subscription that it came by: which decoder reads it. */
  readonly route: number;
  readonly stream: string;
  /** A replay of what the broker kept, sent at subscription; not what a sensor says now. */
  readonly retained: boolean;
  /** Milliseconds since 1970, by this machine's clock. */
  readonly arrivedMs: number;
  readonly again?: Again;
  /** The transport held nothing of it, so large it was. */
  readonly skippedBytes?: number;
}

/** What a transport hands over. */
export interface Message extends Envelope {
  /** The feature that the topic names, where it names one. */
  readonly feature?: string | undefined;
  readonly payload: Uint8Array;
  /** At QoS 1: the broker's number for it until it is acknowledged. */
  readonly packetId?: number;
}

/** What a payload held: values at one time, by index of the feature, and what was wrong with the others. */
export interface Decoded {
  readonly timeMs: number;
  readonly features: readonly number[];
  /** float32, NaN for an explicit missing value */
  readonly values: readonly number[];
  readonly malformed: readonly MalformedReason[];
}

/** Reads one message. Nothing in a payload makes it throw. */
export type Decoder<M extends Envelope = Message> = (message: M) => Decoded;

/** No sensor says more at once. */
export const largestPayload = 65_536;

/** Far above any sensor, and far enough below the end of float32 (3.4e38) for scaling and sums to stay finite. */
const largestValue = 1e24;

const utf8 = new TextDecoder('utf-8', { fatal: true });

export function unreadable(reason: MalformedReason): Decoded {
  return { timeMs: Number.NaN, features: [], values: [], malformed: [reason] };
}

/** undefined: it is not UTF-8. */
export function decodeText(payload: Uint8Array): string | undefined {
  try {
    return utf8.decode(payload);
  } catch {
    return undefined;
  }
}

/** Milliseconds since 1970 of ISO 8601, epoch seconds or milliseconds, or a Date.
 * @returns NaN for what is no time */
export function readTime(value: unknown): number {
  if (typeof value === 'number') return parseEpochMs(value);
  if (value instanceof Date) return value.getTime();
  return typeof value === 'string' ? parseTimeMs(value) : Number.NaN;
}

/** null is an explicit missing value and becomes NaN; NaN itself is none. */
export function readValue(value: unknown): number | MalformedReason {
  if (value === null) return Number.NaN;
  if (typeof value !== 'number' || Number.isNaN(value)) return 'not a number';
  // rounded to float32 once, here: JSON and protobuf then give the same bits
  return Math.abs(value) > largestValue ? 'out of range' : Math.fround(value);
}

/** `Decoded` while its values are gathered. */
export interface Gathering extends Decoded {
  features: number[];
  values: number[];
  malformed: MalformedReason[];
}

export function gather(timeMs: number): Gathering {
  return { timeMs, features: [], values: [], malformed: [] };
}

export function addValue(gathering: Gathering, feature: number, given: unknown): void {
  const value = readValue(given);
  if (typeof value === 'string') {
    gathering.malformed.push(value);
  } else if (gathering.features.length === 0) {
    // room for one and not for the seventeen of a first push: most messages bring one
    gathering.features = [feature];
    gathering.values = [value];
  } else {
    gathering.features.push(feature);
    gathering.values.push(value);
  }
}

/** `no feature` when nothing was added. */
export function decodedOf(gathering: Gathering): Decoded {
  return gathering.features.length + gathering.malformed.length === 0 ? unreadable('no feature') : gathering;
}
