import type { RecordableHistogram } from 'node:perf_hooks';
import type { Percentiles } from '../dashboard/view.ts';

/** @param unit nanoseconds of one unit shown */
export function percentilesOf(histogram: RecordableHistogram, unit: number): Percentiles {
  if (histogram.count === 0) return { p50: null, p99: null };
  return { p50: histogram.percentile(50) / unit, p99: histogram.percentile(99) / unit };
}
