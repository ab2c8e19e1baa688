const isoTime =
  /^(\d{4})[-/](\d\d)[-/](\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)? ?(Z|UTC|[+-]\d\d:?(?:\d\d)?)?)?$/i;
const plainNumber = /^\d+(\.\d+)?$/;

/** 1e11 s is the year 5138 and 1e11 ms is 1973: what is larger counts milliseconds. */
const leastEpochMs = 1e11;
/** The end of the year 9999: no sensor speaks of it, and a Date can still hold every horizon after it. */
export const largestTimeMs = 253_402_300_799_999;

const minuteMs = 60_000;
/** Without leap days. */
const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const twoDigits = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));
/** `06:00:` of each minute of a day, `00Z` of each second of a minute. */
const minuteTexts = Array.from(
  { length: 1440 },
  (_, minute) => `${twoDigits[Math.floor(minute / 60)]}:${twoDigits[minute % 60]}:`,
);
const secondTexts = twoDigits.map((second) => `${second}Z`);
/** Days whose text is kept, each in its place: a road writes those around now, over and over. */
const keptDays = 64;
const daysKept = new Float64Array(keptDays).fill(Number.NaN);
const dayTexts: string[] = Array(keptDays).fill('');

/** ISO 8601 in UTC, to the second where the time is whole seconds. */
export function formatTime(timeMs: number): string {
  // a Date takes a microsecond
  if (timeMs % 1000 === 0 && timeMs >= 0 && timeMs <= largestTimeMs) return formatSeconds(timeMs / 1000);
  return new Date(timeMs).toISOString().replace('.000Z', 'Z');
}

/** From 1970 to 9999. */
function formatSeconds(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const day = Math.floor(minutes / 1440);
  const place = day % keptDays;
  if (daysKept[place] !== day) {
    daysKept[place] = day;
    dayTexts[place] = new Date(day * 1440 * minuteMs).toISOString().slice(0, 11);
  }
  return dayTexts[place] + minuteTexts[minutes % 1440] + secondTexts[seconds % 60];
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
  return parseSeconds(text) ?? parseAnyTime(text);
}

/** Of the form that most sensors write, `2013-01-01T06:00:00Z`; the regular expression takes half a microsecond.
 * @returns undefined for another form, for a leap day, and for what is no time */
function parseSeconds(text: string): number | undefined {
  if (text.length !== 20 || text[4] !== '-' || text[7] !== '-' || text[10] !== 'T') return undefined;
  if (text[13] !== ':' || text[16] !== ':' || text[19] !== 'Z') return undefined;
  const year = 100 * twoDigitsAt(text, 0) + twoDigitsAt(text, 2);
  const month = twoDigitsAt(text, 5);
  const day = twoDigitsAt(text, 8);
  const hour = twoDigitsAt(text, 11);
  const minute = twoDigitsAt(text, 14);
  const second = twoDigitsAt(text, 17);
  // NaN is in no range
  const isDate = year >= 1970 && month >= 1 && day >= 1 && day <= monthDays[month - 1];
  if (!isDate || !(hour <= 23) || !(minute <= 59) || !(second <= 59)) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** NaN where there is none. */
function twoDigitsAt(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : Number.NaN;
}

function parseAnyTime(text: string): number {
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
