const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const [secondMs, minuteMs, hourMs, dayMs] = [unitMs.s, unitMs.m, unitMs.h, unitMs.d];
/** What people let sensors report at. */
const roundPeriodsMs: readonly number[] = [
  ...[secondMs, minuteMs].flatMap((unit) => [1, 2, 5, 10, 15, 20, 30].map((count) => count * unit)),
  ...[1, 2, 3, 4, 6, 8, 12].map((count) => count * hourMs),
  dayMs,
  7 * dayMs,
];
/** A clock that is off by more than this means what it says. */
const jitterShare = 0.02;

export const durationPattern = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d)$/;

/** `30s`, `5m`, `1h`, `1d`, `1.5h`, or a number of milliseconds.
 * @returns whole milliseconds above 0; undefined for anything else */
export function parseDuration(text: string | number): number | undefined {
  const match = durationPattern.exec(String(text));
  const milliseconds = match ? Number(match[1]) * unitMs[match[2]] : Number(text);
  return Number.isSafeInteger(milliseconds) && milliseconds > 0 && text !== '' ? milliseconds : undefined;
}

/** The shortest exact text: 3600000 is `1h`, 90000 is `90s`. */
export function formatDuration(milliseconds: number): string {
  for (const unit of ['d', 'h', 'm', 's']) {
    if (milliseconds % unitMs[unit] === 0) return `${milliseconds / unitMs[unit]}${unit}`;
  }
  return `${milliseconds}ms`;
}

/** The period that a measured spacing means: a round one, or else whole minutes or seconds, within 2 %.
 * @returns whole milliseconds above 0 */
export function roundPeriod(spacingMs: number): number {
  const room = jitterShare * spacingMs;
  const isNear = (periodMs: number, roomMs: number) => Math.abs(periodMs - spacingMs) <= roomMs;
  const round = roundPeriodsMs.find((periodMs) => isNear(periodMs, room));
  if (round !== undefined) return round;
  for (const unit of [minuteMs, secondMs]) {
    const multiple = Math.round(spacingMs / unit) * unit;
    // any long spacing lies near whole units: it has to be near in units, too
    if (multiple > 0 && isNear(multiple, Math.min(room, unit / 10))) return multiple;
  }
  return Math.max(1, Math.round(spacingMs));
}
