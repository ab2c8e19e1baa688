import type { ShadowView } from '../dashboard/view.ts';
import { pooledError } from './overview.ts';
import { percentilesOf } from './percentiles.ts';
import type { Service } from './service.ts';

/** What a service has done so far, as one flat record: the line of the log, and of --json at the end. */
export function summarizeService(service: Service) {
  const { readings, monitor, messages, sink, link, durable, engine, models, ...counts } = service;
  const { published, superseded, dropped, failed, waiting, failures } = sink;
  const { mae, persistenceMae } = pooledError({ monitor });
  return {
    model: engine.id,
    models: { ...models },
    messages: messages.total,
    messagesPerSecond: Number(messages.perSecond().toFixed(1)),
    unrouted: counts.aside.unrouted,
    own: counts.aside.own,
    readings: { ...readings.ended },
    malformed: { ...readings.malformed },
    streams: monitor.records.size,
    stale: monitor.countStale(),
    forecasts: { published, superseded, dropped, failed, waiting },
    ...(failed > 0 && { failures: { ...failures } }),
    mae,
    persistenceMae,
    stepUs: percentilesOf(counts.stepNs, 1e3),
    latencyMs: percentilesOf(counts.latencyNs, 1e6),
    ...(durable && { state: durable.view() }),
    connected: link.connected,
    reconnects: link.reconnects,
    rssMb: Math.round(process.memoryUsage.rss() / 1e6),
  };
}

/** How a shadow does, for the reader of the log. */
function describeShadow({ id, n, mae, servingMae }: ShadowView): string {
  const say = (error: number | null) => (error === null ? 'unknown' : String(Number(error.toPrecision(3))));
  return `shadow ${id.slice(0, 8)}: error ${say(mae)}, serving ${say(servingMae)}, ${n.toLocaleString('en')} forecasts`;
}

/** Logs the counters every minute, and how the shadow does where there is one. @returns what stops it */
export function startReports(
  service: Service,
  log: { info(fields: object, message: string): void },
): () => void {
  const timer = setInterval(() => {
    log.info(summarizeService(service), 'counters');
    const shadow = service.viewShadow();
    if (shadow) log.info({ shadow }, describeShadow(shadow));
  }, 60_000);
  timer.unref();
  return () => clearInterval(timer);
}
