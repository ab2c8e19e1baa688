import type { ErrorView, ModelView, Overview, ShadowView } from '../dashboard/view.ts';
import type { Engine } from '../engine/engine.ts';
import type { Link } from '../mqtt/link.ts';
import type { Sink } from '../mqtt/sink.ts';
import { percentilesOf } from './percentiles.ts';
import type { ServiceCounts } from './service.ts';
import { errorView } from './stream-views.ts';

/** How far a recording has been played. */
export interface ReplayProgress {
  readonly done: number;
  readonly total: number;
}

export interface OverviewParts {
  readonly name: string;
  /** The model that publishes. */
  readonly engine: () => Engine;
  readonly shadow: () => ShadowView | null;
  readonly link: Link;
  readonly sink: Sink;
  /** The broker has not been tried yet. */
  readonly isStarting: () => boolean;
  readonly counts: ServiceCounts;
  readonly replay?: (() => ReplayProgress) | undefined;
}

/** Streams that earn a look a millisecond of rest: a few are looked at anew each time, 10,000 twice a second. */
const streamsAMs = 20;

/** Looks at the service as a whole. */
export function createOverview(parts: OverviewParts): () => Overview {
  const { name, engine, shadow, link, sink, isStarting, counts, replay } = parts;
  const look = (): Overview => ({
    name,
    model: modelView(engine()),
    broker: {
      address: link.address,
      state: isStarting() ? 'starting' : link.connected ? 'connected' : 'away',
      sinceMs: link.sinceMs,
      reconnects: link.reconnects,
    },
    streams: counts.monitor.records.size,
    messagesPerSecond: counts.messages.perSecond(),
    forecasts: sink.published,
    superseded: sink.superseded + sink.dropped,
    refused: sink.failed,
    waiting: sink.waiting,
    stepUs: percentilesOf(counts.stepNs, 1e3),
    latencyMs: percentilesOf(counts.latencyNs, 1e6),
    readings: { ...counts.readings.ended },
    malformed: { ...counts.readings.malformed },
    error: pooledError(counts),
    shadow: shadow(),
    replay: replay?.() ?? null,
  });
  // it passes over all streams: open pages share it
  let looked: { readonly atMs: number; readonly overview: Overview } | undefined;
  return () => {
    const nowMs = performance.now();
    const reuseMs = counts.monitor.records.size / streamsAMs;
    if (looked === undefined || nowMs - looked.atMs >= reuseMs) looked = { atMs: nowMs, overview: look() };
    return looked.overview;
  };
}

/** Over all horizons of all targets of all streams. */
export function pooledError({ monitor }: Pick<ServiceCounts, 'monitor'>): ErrorView {
  return errorView(monitor.records.errors.pool());
}

function modelView({ id, model }: Engine): ModelView {
  const { name, version, architecture, layers, input, output } = model;
  const { cell, hidden } = architecture;
  const numbers = layers.every(({ inputWeights }) => inputWeights.kind === 'int8') ? 'int8' : 'float32';
  return {
    ...{ name, version, id },
    kind: cell === 'none' ? 'linear' : `${cell} ${hidden}, ${numbers}`,
    targets: output.targets.map((feature) => input.names[feature]),
    periodMs: input.periodMs,
    horizons: output.horizons,
  };
}
