import type { Drive } from './service.ts';
import type { Contestant } from './service-contestants.ts';
import type { LoadRow } from './service-report.ts';

/** A look at the memory every ten seconds. */
const LOOK_SECONDS = 10;
/** What ten minutes can tell from the noise of a heap that is collected now and then. */
const mostMbAnHour = 20;
const mostMb = 160;

/** Half load for a long time. @returns rows of ours, without the first fifth of the time, which fills its heap */
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
  let failed = 0;
  for (const startedMs = performance.now(); performance.now() - startedMs < soakMs; ) {
    const { sent, answered, wrong, rssMb, p99Ms } = await drive(ours, { seconds: LOOK_SECONDS, rate });
    failed += sent - answered + wrong;
    points.push({ hours: performance.now() / 3_600_000, rssMb });
    console.error(
      `${rate} messages/s: ${rssMb.toFixed(1)} MB, p99 ${p99Ms.toFixed(2)} ms, ${failed} unanswered`,
    );
  }
  const settled = points.slice(Math.floor(points.length / 5));
  const minutes = Math.round(soakMs / 60_000);
  const row = (what: string, value: number, must: number): LoadRow => {
    const name = `service QoS ${qos}, ${what}, ${minutes} min at ${rate} messages/s`;
    return {
      name,
      ours: Number(value.toFixed(1)),
      peer: must,
      ratio: value / must,
      must: 1,
      lowerIsBetter: true,
    };
  };
  return [
    row('growth in MB/h beside the most allowed', slope(settled), mostMbAnHour),
    row('RSS in MB beside the most allowed', Math.max(...settled.map(({ rssMb }) => rssMb)), mostMb),
    row('messages unanswered or answered wrongly', failed, 1),
  ];
}

/** Least squares. */
function slope(points: readonly { readonly hours: number; readonly rssMb: number }[]): number {
  const mean = (key: 'hours' | 'rssMb') => points.reduce((sum, point) => sum + point[key], 0) / points.length;
  const [hours, rssMb] = [mean('hours'), mean('rssMb')];
  const covariance = points.reduce((sum, point) => sum + (point.hours - hours) * (point.rssMb - rssMb), 0);
  return covariance / points.reduce((sum, point) => sum + (point.hours - hours) ** 2, 0);
}
