import type { Drive } from './service.ts';
import type { Contestant } from './service-contestants.ts';
import type { LoadRow } from './service-report.ts';

/** A look at the memory every ten seconds. */
const LOOK_SECONDS = 10;

/** Half load for a long time. @returns the growth of ours, in MB an hour, without the first fifth, which fills its heap */
export async function soak(
  contestants: readonly Contestant[],
  drive: Drive,
  soakMs: number,
): Promise<LoadRow[]> {
  const ours = contestants.find(({ name }) => name === 'ours');
  if (ours === undefined) return [];
  const { perSecond, qos } = await drive(ours, { seconds: 3, rate: 0 });
  const rate = Math.round(perSecond / 2);
  const points: { hours: number; rssMb: number }[] = [];
  let unanswered = 0;
  for (const startedMs = performance.now(); performance.now() - startedMs < soakMs; ) {
    const { sent, answered, rssMb, p99Ms } = await drive(ours, { seconds: LOOK_SECONDS, rate });
    unanswered += sent - answered;
    points.push({ hours: performance.now() / 3_600_000, rssMb });
    console.error(
      `${rate} messages/s: ${rssMb.toFixed(1)} MB, p99 ${p99Ms.toFixed(2)} ms, ${unanswered} unanswered`,
    );
  }
  const settled = points.slice(Math.floor(points.length / 5));
  const growth = slope(settled);
  const name = `service QoS ${qos}, growth at ${rate} messages/s for ${Math.round(soakMs / 60_000)} min, MB/h`;
  const last = settled[settled.length - 1].rssMb;
  return [
    {
      name,
      ours: Number(growth.toFixed(2)),
      peer: 0,
      ratio: Number(last.toFixed(1)),
      must: 60,
      lowerIsBetter: true,
    },
  ];
}

/** Least squares. */
function slope(points: readonly { readonly hours: number; readonly rssMb: number }[]): number {
  const mean = (key: 'hours' | 'rssMb') => points.reduce((sum, point) => sum + point[key], 0) / points.length;
  const [hours, rssMb] = [mean('hours'), mean('rssMb')];
  const covariance = points.reduce((sum, point) => sum + (point.hours - hours) * (point.rssMb - rssMb), 0);
  return covariance / points.reduce((sum, point) => sum + (point.hours - hours) ** 2, 0);
}
