export interface Range {
  readonly min: number;
  readonly max: number;
}

// below this part of its height the data wants a closer look
const leastFilled = 0.55;

/**
 * The span of a value axis over [min, max], which stays as it was for as long as the data fits it well: a chart whose
 * axis moves with each reading cannot be read.
 */
export function calmRange(before: Range | null, min: number, max: number): Range {
  if (before && min >= before.min && max <= before.max) {
    if (max - min >= (before.max - before.min) * leastFilled) return before;
  }
  const span = max - min || Math.abs(max) || 1;
  const step = niceStep(span / 8);
  const padding = span * 0.05;
  return { min: Math.floor((min - padding) / step) * step, max: Math.ceil((max + padding) / step) * step };
}

/** The smallest of 1, 2, 5 times a power of ten that is not below `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((factor) => factor * power >= least) ?? 10) * power;
}
