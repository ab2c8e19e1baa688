import { existsSync, readFileSync } from 'node:fs';
import type { Drive } from './service.ts';
import { type Contestant, loopDelayFile } from './service-contestants.ts';
import type { ServiceBenchOptions } from './service-options.ts';
import type { LoadRow } from './service-report.ts';

export interface SoakOptions extends Pick<ServiceBenchOptions, 'soakMs' | 'reconnectMs'> {
  readonly folder: string;
  readonly drive: Drive;
  /** Cuts the connection of a contestant. */
  readonly cut: (tag: string) => Promise<void>;
}

/** A look at the memory every ten seconds. */
const LOOK_SECONDS = 10;
/** What ten minutes can tell from the noise of a heap that is collected now and then. */
const mostMbAnHour = 20;
const mostMb = 160;
const mostLateMs = 20;

/** Half load for a long time; then stops ours. @returns rows of ours, those of its memory without the first fifth of the time,
 * which fills its heap */
export async function soak(
  contestants: readonly Contestant[],
  { folder, drive, cut, soakMs, reconnectMs }: SoakOptions,
): Promise<LoadRow[]> {
  const ours = contestants.find(({ name }) => name === 'ours');
  if (ours === undefined) return [];
  const { perSecond, qos } = await drive(ours, { seconds: 3, rate: 0 });
  const rate = Math.round(perSecond / 2);
  const points: { hours: number; rssMb: number }[] = [];
  let [failed, repeated, cuts] = [0, 0, 0];
  const startedMs = performance.now();
  const bytes = ours.writtenBytes();
  const cutting =
    reconnectMs === 0
      ? undefined
      : setInterval(() => cut(ours.tag).then(() => cuts++, console.error), reconnectMs);
  while (performance.now() - startedMs < soakMs) {
    const stretch = await drive(ours, { seconds: LOOK_SECONDS, rate });
    const { sent, answered, wrong, rssMb, p99Ms } = stretch;
    failed += sent - answered + wrong;
    repeated += stretch.repeated;
    points.push({ hours: performance.now() / 3_600_000, rssMb });
    console.error(
      `${rate} messages/s: ${rssMb.toFixed(1)} MB, p99 ${p99Ms.toFixed(2)} ms, ${failed} unanswered, ` +
        `${repeated} answered again, ${cuts} cuts`,
    );
  }
  clearInterval(cutting);
  const megabytesAnHour = ((ours.writtenBytes() - bytes) / 1e6 / (performance.now() - startedMs)) * 3_600_000;
  await ours.stop();
  // none of a service that had to be killed
  const superseded = ours.output === '' ? 0 : JSON.parse(ours.output).forecasts.superseded;
  const delayFile = loopDelayFile(folder, ours.tag);
  const lateMs = existsSync(delayFile) ? JSON.parse(readFileSync(delayFile, 'utf8')).p99Ms : Number.NaN;
  const settled = points.slice(Math.floor(points.length / 5));
  const minutes = Math.round(soakMs / 60_000);
  const row = (what: string, value: number, must: number): LoadRow => {
    const name = `service QoS ${qos}, ${what}, ${minutes} min at ${rate} messages/s, ${cuts} reconnects`;
    return {
      name,
      ours: Number(value.toFixed(2)),
      peer: must,
      ratio: value / must,
      must: 1,
      lowerIsBetter: true,
    };
  };
  return [
    row('growth in MB/h beside the most allowed', slope(settled), mostMbAnHour),
    row('RSS in MB beside the most allowed', Math.max(...settled.map(({ rssMb }) => rssMb)), mostMb),
    row(
      'messages unanswered or answered wrongly, beside the forecasts that a newer one of their stream replaced',
      failed,
      Math.max(1, superseded),
    ),
    row('event loop late, p99 in ms beside the most allowed', lateMs, mostLateMs),
    row('MB written an hour, beside 24 bytes a reading', megabytesAnHour, (rate * 24 * 3600) / 1e6),
  ];
}

/** Least squares. */
function slope(points: readonly { readonly hours: number; readonly rssMb: number }[]): number {
  const mean = (key: 'hours' | 'rssMb') => points.reduce((sum, point) => sum + point[key], 0) / points.length;
  const [hours, rssMb] = [mean('hours'), mean('rssMb')];
  const covariance = points.reduce((sum, point) => sum + (point.hours - hours) * (point.rssMb - rssMb), 0);
  return covariance / points.reduce((sum, point) => sum + (point.hours - hours) ** 2, 0);
}
