import type { MalformedReason } from '../stream/counters.ts';
import { followPath, type JsonPath } from '../stream/json-path.ts';
import { decodeText, largestPayload, type Message, readTime, readValue } from '../stream/payload.ts';
import { numberDecoder } from '../stream/read-number.ts';

/** What a message says, whatever its numbers are called. */
interface RecordedPayload {
  /** undefined: it names no time. */
  readonly timeMs?: number | undefined;
  /** By name, the doubles as they came; NaN for an explicit missing value. */
  readonly numbers: ReadonlyMap<string, number>;
  readonly malformed: readonly MalformedReason[];
  /** Keys that hold no numbers -> what they hold. */
  readonly ignored: ReadonlyMap<string, string>;
}

/** Nothing in a payload makes it throw. */
export type PayloadReader = (message: Message) => RecordedPayload;

const nothing = { numbers: new Map<string, number>(), ignored: new Map<string, string>() };

/** Reads flat JSON: every key that holds a number or null, and the time where it has one.
 * @param time where it lies */
export function jsonReader(time: JsonPath): PayloadReader {
  return ({ payload }) => {
    const body = parseBody(payload);
    if (typeof body === 'string') return unreadable(body);
    const said = followPath(body, time);
    const timeMs = said === undefined ? undefined : readTime(said);
    if (Number.isNaN(timeMs)) return unreadable('bad time');
    const numbers = new Map<string, number>();
    const ignored = new Map<string, string>();
    const malformed: MalformedReason[] = [];
    for (const [key, value] of Object.entries(body)) {
      if (key === time[0]) continue;
      if (value !== null && typeof value !== 'number') {
        ignored.set(key, kindOf(value));
        continue;
      }
      const checked = readValue(value);
      if (typeof checked === 'string') malformed.push(checked);
      else numbers.set(key, value ?? Number.NaN);
    }
    if (numbers.size + malformed.length === 0) malformed.push('no feature');
    // the file holds whole milliseconds; seconds with a fraction are a little off them as doubles
    return { timeMs: timeMs && Math.round(timeMs), numbers, malformed, ignored };
  };
}

/** Reads payloads that are a number and nothing else; the topic names it. */
export function numberReader(): PayloadReader {
  const decode = numberDecoder({ names: [''] });
  return (message) => {
    const { feature, payload } = message;
    if (feature === undefined) return unreadable('no feature');
    const { values, malformed } = decode({ ...message, feature: '' });
    if (malformed.length > 0) return { ...nothing, malformed };
    const isMissing = Number.isNaN(values[0]);
    const value = isMissing ? Number.NaN : Number(decodeText(payload));
    return { ...nothing, numbers: new Map([[feature, value]]), malformed };
  };
}

function unreadable(reason: MalformedReason): RecordedPayload {
  return { ...nothing, malformed: [reason] };
}

function parseBody(payload: Uint8Array): object | MalformedReason {
  if (payload.length > largestPayload) return 'too large';
  const text = decodeText(payload);
  if (text === undefined) return 'not UTF-8';
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? body : 'not an object';
  } catch {
    return 'not JSON';
  }
}

function kindOf(value: unknown): string {
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return 'true or false';
  return Array.isArray(value) ? 'a list' : 'an object';
}
