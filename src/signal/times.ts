const isoTime =
  /^(\d{4})[-/](\d\d)[-/](\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)? ?(Z|UTC|[+-]\d\d:?(?:\d\d)?)?)?$/i;
const plainNumber = /^\d+(\.\d+)?$/;

/** 1e11 s is the year 5138 and 1e11 ms is 1973: what is larger counts milliseconds. */
const leastEpochMs = 1e11;
/** The end of the year 9999: no sensor speaks of it, and a Date can still hold every horizon after it. */
export const largestTimeMs = 253_402_300_799_999;

const minuteMs = 60_000;

/** ISO 8601 in UTC, to the second where the time is whole seconds. */
export function formatTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('.000Z', 'Z');
}

/** Milliseconds since 1970 of epoch seconds or milliseconds.
 * @returns NaN for what is no time */
export function parseEpochMs(number: number): number {
  const timeMs = Math.abs(number) >= leastEpochMs ? number : number * 1000;
  return Math.abs(timeMs) <= largestTimeMs ? timeMs : Number.NaN;
}

/** Milliseconds since 1970 of an ISO 8601 time (UTC when it names no zone), or of epoch seconds or milliseconds.
 * @returns NaN for what is no time */
export function parseTimeMs(text: string): number {
  if (plainNumber.test(text)) return parseEpochMs(Number(text));
  const match = isoTime.exec(text);
  if (!match) return Number.NaN;
  const [year, month, day, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const timeMs = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(timeMs);
  // Date.UTC carries the 31st of February over into March
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCHours() === hour;
  if (!isReal || minute > 59 || second > 59) return Number.NaN;
  return timeMs + Number(match[7] ?? 0) * 1000 - offsetMinutes(match[8]) * minuteMs;
}

function offsetMinutes(zone: string | undefined): number {
  if (zone === undefined || /^(Z|UTC)$/i.test(zone)) return 0;
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
  return zone.startsWith('-') ? -minutes : minutes;
}
