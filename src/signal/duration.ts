const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

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
