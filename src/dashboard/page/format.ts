/** What stands for a number that is missing. */
export const missing = '–';

const minus = '−';
const narrowSpace = '\u202f';
const noBreakSpace = '\u00a0';

/** By magnitude, about three digits: 1,012.3, 38.4, 2.74, 0.00123. */
export function formatNumber(value: number | null): string {
  return value === null ? missing : formatTo(value, decimalsFor([value]));
}

/** Decimals that suit the largest of the values, so that numbers side by side have as many. */
export function decimalsFor(values: readonly (number | null)[]): number {
  const largest = Math.max(0, ...values.map((value) => Math.abs(value ?? 0)));
  if (largest === 0) return 0;
  if (largest >= 100_000) return 0;
  if (largest >= 10) return 1;
  return Math.min(20, 2 - Math.floor(Math.log10(largest)));
}

export function formatTo(value: number | null, decimals: number): string {
  if (value === null) return missing;
  const size = Math.abs(value);
  if (size >= 1e12 || (size > 0 && size < 1e-6)) return value.toExponential(2).replaceAll('-', minus);
  const text = size.toLocaleString('en-US', {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  // a value that rounds to zero has no sign
  return value < 0 && /[1-9]/.test(text) ? minus + text : text;
}

/** `36.9–40.1`; with a minus sign somewhere `−3.2 to 1.4`. */
export function formatInterval(low: number | null, high: number | null, decimals: number): string {
  if (low === null || high === null) return '';
  const [from, to] = [formatTo(low, decimals), formatTo(high, decimals)];
  return low < 0 || high < 0 ? `${from} to ${to}` : `${from}–${to}`;
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

export function formatPercent(share: number): string {
  return `${Math.round(share * 100)}${narrowSpace}%`;
}

export interface Gain {
  /** Of the error beside persistence: 0.31 is 31 % less. */
  readonly share: number;
  readonly text: string;
  readonly kind: 'better' | 'worse' | 'level';
}

export function gainOver(mae: number | null, persistenceMae: number | null): Gain | null {
  if (mae === null || persistenceMae === null || persistenceMae === 0) return null;
  const share = 1 - mae / persistenceMae;
  if (Math.round(share * 100) === 0) return { share, text: 'level', kind: 'level' };
  const kind = share > 0 ? 'better' : 'worse';
  return { share, text: `${formatPercent(Math.abs(share))} ${kind}`, kind };
}

/** `4.1 µs`, `12 µs`, `1.2 ms`. */
export function formatMicroseconds(us: number | null): string {
  if (us === null) return missing;
  return us < 1_000 ? `${briefly(us)}${noBreakSpace}µs` : formatMilliseconds(us / 1_000);
}

/** `0.42 ms`, `1.2 s`. */
export function formatMilliseconds(ms: number | null): string {
  if (ms === null) return missing;
  return ms < 1_000 ? `${briefly(ms)}${noBreakSpace}ms` : `${briefly(ms / 1_000)}${noBreakSpace}s`;
}

/** About two digits: how long something took is never known better. */
function briefly(value: number): string {
  return formatTo(value, Math.max(0, decimalsFor([value]) - 1));
}

const units = [
  { name: 'd', ms: 86_400_000, from: 3 },
  { name: 'h', ms: 3_600_000, from: 1 },
  { name: 'min', ms: 60_000, from: 1 },
  { name: 's', ms: 1_000, from: 1 },
] as const;

/** A span that is a whole number of some unit: `24 h`, `90 s`, `15 min`, `7 d`. */
export function formatSpan(ms: number): string {
  const unit = units.find((each) => ms % each.ms === 0 && ms >= each.ms * each.from);
  return unit ? `${ms / unit.ms}${noBreakSpace}${unit.name}` : `${formatCount(ms)}${noBreakSpace}ms`;
}

/** How long ago, coarsely: `12 s`, `4 min`, `2 h`, `5 d`. */
export function formatElapsed(ms: number): string {
  const unit = units.find((each) => ms >= each.ms * each.from);
  return unit ? `${Math.floor(ms / unit.ms)}${noBreakSpace}${unit.name}` : `0${noBreakSpace}s`;
}

const day = new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', month: 'short', day: 'numeric' });
const dayOfYear = new Intl.DateTimeFormat('en-US', {
  timeZone: 'UTC',
  weekday: 'short',
  month: 'short',
  day: 'numeric',
  year: 'numeric',
});

/** `06:00`, with seconds where they say something. */
export function formatClock(timeMs: number): string {
  const iso = isoOf(timeMs);
  if (!iso) return missing;
  return iso.slice(11, timeMs % 60_000 === 0 ? 16 : 19);
}

/** `Oct 14`. */
export function formatDay(timeMs: number): string {
  return isoOf(timeMs) ? day.format(timeMs) : missing;
}

/** `Oct 14, 06:00`. */
export function formatTime(timeMs: number): string {
  return isoOf(timeMs) ? `${formatDay(timeMs)}, ${formatClock(timeMs)}` : missing;
}

/** `Mon, Oct 14, 2013, 06:00 UTC`. */
export function formatWholeTime(timeMs: number): string {
  return isoOf(timeMs) ? `${dayOfYear.format(timeMs)}, ${formatClock(timeMs)} UTC` : missing;
}

/** Empty for a time that no calendar has. */
export function isoOf(timeMs: number): string {
  const date = new Date(timeMs);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}
