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

/** Logs the counters every minute. @returns what stops it */
export function startReports(
  service: Service,
  log: { info(fields: object, message: string): void },
): () => void {
  const timer = setInterval(() => log.info(summarizeService(service), 'counters'), 60_000);
  timer.unref();
  return () => clearInterval(timer);
}
