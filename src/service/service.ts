import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { tap } from 'rxjs';
import { type Dashboard, startDashboard } from '../dashboard/server.ts';
import type { ViewSource } from '../dashboard/view.ts';
import type { Engine } from '../engine/engine.ts';
import { createLink, type Link, type LinkOptions } from '../mqtt/link.ts';
import type { LinkEvent } from '../mqtt/link-report.ts';
import { createSink, type Sink } from '../mqtt/sink.ts';
import { createSourceCounts, mqttSource, type SourceCounts } from '../mqtt/source.ts';
import type { TopicPattern } from '../mqtt/topic.ts';
import { type Counters, createCounters } from '../stream/counters.ts';
import type { Reading } from '../stream/decode.ts';
import type { Outcome } from '../stream/encode.ts';
import type { Message } from '../stream/payload.ts';
import { createStreamMemory, type RoadOptions, road, type StreamMemory } from '../stream/pipeline.ts';
import { createComplaints } from './complaints.ts';
import { type Durable, holdsReceipts, openDurable, type StateOptions } from './durable.ts';
import type { Log } from './log.ts';
import { createMonitor, type Monitor } from './monitor.ts';
import { createOverview, type ReplayProgress } from './overview.ts';
import { createRate, type Rate } from './rate.ts';
import { createStreamViews } from './stream-views.ts';
import type { Route } from './subscriptions.ts';

export interface ServiceOptions extends Pick<RoadOptions, 'history' | 'combine' | 'latenessMs' | 'format'> {
  readonly name: string;
  readonly engine: Engine;
  /** Where the broker is and how to get in; the service adds its subscriptions. */
  readonly broker: Omit<LinkOptions, 'filters' | 'onEvent'>;
  readonly routes: readonly Route[];
  readonly publish: { readonly topics: TopicPattern; readonly qos: 0 | 1; readonly retain: boolean };
  /** The page; none when absent. */
  readonly dashboard?: { readonly host: string; readonly port: number } | undefined;
  readonly maxStreams: number;
  readonly staleAfterMs?: number | undefined;
  readonly log: Log;
  /** Where the states are kept; in memory alone when absent. */
  readonly state?: StateOptions | undefined;
  /** An earlier start has left a session at the broker. */
  readonly expectsSession?: boolean | undefined;
  /** Of a demo, for the page. */
  readonly replay?: (() => ReplayProgress) | undefined;
}

/** What a running service counts. */
export interface ServiceCounts {
  readonly readings: Counters;
  readonly monitor: Monitor;
  readonly messages: Rate & { readonly total: number };
  /** Messages that were not for the road. */
  readonly aside: SourceCounts;
  /** Nanoseconds a frame, live frames only. */
  readonly stepNs: RecordableHistogram;
  /** Nanoseconds from the arrival of a batch to its forecasts' way out. */
  readonly latencyNs: RecordableHistogram;
}

export interface Service extends ServiceCounts {
  readonly durable: Durable | undefined;
  readonly link: Link;
  readonly sink: Sink;
  readonly dashboard: Dashboard | undefined;
  /** What the page shows. */
  readonly view: ViewSource;
  /** Resolves at the first connection. Rejects when the broker refuses this client.
   * @param timeoutMs gives up then; by default never */
  open(timeoutMs?: number): Promise<void>;
  /** Rejects when a defect of ours has stopped the road. */
  readonly failed: Promise<never>;
  /** Leaves the broker, counts what had still arrived, and closes the page. */
  close(): Promise<void>;
}

/** For the broker to take the last forecasts, of the five seconds that the end of a service may take. */
const longestGoodbyeMs = 1_500;

/** Periods without a reading after which a stream is stale. */
const staleAfterPeriods = 3;

/** The states warm, the page opens, and once it is opened every frame is answered until it is closed. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { name, engine, broker, routes, publish, log, maxStreams } = options;
  const monitor = createMonitor({
    model: engine.model,
    staleAfterMs: options.staleAfterMs ?? staleAfterPeriods * engine.model.input.periodMs,
    charted: options.dashboard !== undefined,
    maxStreams,
  });
  const counts = createCounts(monitor);
  const memory = createStreamMemory(engine, options);
  const encoding = { model: engine.model, id: engine.id, format: options.format };
  const durable =
    options.state && (await openDurable({ ...options.state, engine, memory, monitor, encoding, log }));
  const link = createLink({
    ...broker,
    holdsReceipts: (protocol) => options.state !== undefined && holdsReceipts(options.state.ack, protocol),
    filters: routes.map(({ topics, qos }) => ({ topic: topics.filter, qos })),
    onEvent: createEventLog(options),
  });
  const losses = createComplaints(({ reason, topic, since }) =>
    log.warn({ reason, topic, since }, `a forecast did not go out: ${describeLoss(reason)}`),
  );
  const sink = createSink(link, {
    ...publish,
    onLoss: (reason, { stream, payload }) => losses.note(reason, publish.topics.topicOf(stream), payload),
  });
  const overview = createOverview({ name, engine, link, sink, counts, replay: options.replay });
  const streams = createStreamViews(engine, monitor);
  const view: ViewSource = (query) => ({ overview: overview(), ...streams(query) });
  // first, since a port in use ends it all
  const dashboard =
    options.dashboard &&
    (await startDashboard({
      ...options.dashboard,
      source: view,
      targets: engine.model.output.targets.length,
    }).catch(async (error) => {
      await durable?.close();
      throw error;
    }));
  const run = runRoad(options, { link, sink, counts, memory, durable });
  durable?.start(link, sink);
  return {
    ...counts,
    ...{ link, sink, dashboard, view, durable, failed: run.failed },
    open: (timeoutMs) => link.open(timeoutMs === undefined ? {} : { timeoutMs }),
    async close() {
      // what comes from here on stays with the broker; what came last is still to be counted
      link.leave();
      await new Promise(setImmediate);
      await durable?.end();
      await link.close({ timeoutMs: longestGoodbyeMs });
      run.stop();
      await Promise.all([durable?.close(), dashboard?.close()]);
    },
  };
}

function describeLoss(reason: string): string {
  const causes: Readonly<Record<string, string>> = {
    superseded: 'the broker is far behind, and newer ones took the place of the oldest',
    dropped: 'the broker is far behind, and more streams wait than may',
  };
  return causes[reason] ?? `the broker refused it: ${reason}`;
}

/** Says each event, and what a broker that has forgotten the session has lost with it. */
function createEventLog({ log, broker, expectsSession = false }: ServiceOptions) {
  return (event: LinkEvent) => {
    if (event.kind === 'refused') log.error({}, event.message);
    else if (event.kind === 'away') log.warn({}, event.message);
    else {
      log.info({}, event.message);
      const isKept = broker.clientId !== undefined && (expectsSession || event.kind === 'back');
      if (!isKept || event.sessionPresent) return;
      log.warn({}, 'the broker has not kept the session: what it had not delivered before is lost');
    }
  };
}

function createCounts(monitor: Monitor): ServiceCounts {
  const rate = createRate();
  let total = 0;
  return {
    readings: createCounters(),
    monitor,
    messages: {
      add(count) {
        total += count;
        rate.add(count);
      },
      perSecond: rate.perSecond,
      get total() {
        return total;
      },
    },
    aside: createSourceCounts(),
    stepNs: createHistogram(),
    latencyNs: createHistogram(),
  };
}

interface RoadParts {
  readonly link: Link;
  readonly sink: Sink;
  readonly counts: ServiceCounts;
  readonly memory: StreamMemory;
  readonly durable: Durable | undefined;
}

/** First what somebody gives, then what was read before the restart: of both, what is late steps nothing. */
function* past(
  ...parts: readonly (Iterable<readonly Reading[]> | undefined)[]
): Iterable<readonly Reading[]> {
  for (const part of parts) if (part) yield* part;
}

function runRoad(options: ServiceOptions, { link, sink, counts, memory, durable }: RoadParts) {
  const { engine, routes, publish, log, broker, history, format } = options;
  const { readings, monitor, messages, stepNs, latencyNs } = counts;
  const complaints = createComplaints(({ reason, ...found }) =>
    log.warn({ reason, ...found }, `set aside a reading: ${reason}`),
  );
  let fail = (_: unknown) => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // whoever waits for it gets it; until then it is no unhandled rejection
  failed.catch(() => {});
  let arrivedMs = 0;
  let startedMs = 0;
  const onOutcome = (outcome: Outcome) => {
    sink.publish(outcome.publications);
    monitor.noteOutcome(outcome, arrivedMs);
    if (outcome.origin !== 'live') return;
    stepNs.record(Math.max(1, Math.round(outcome.stepUs * 1000)));
    latencyNs.record(Math.max(1, Math.round((performance.now() - startedMs) * 1e6)));
  };
  const source = mqttSource(link, {
    routes: routes.map(({ topics }) => topics),
    counts: counts.aside,
    onDone: durable?.onDone,
    isOwn: (topic) => topic === broker.statusTopic || publish.topics.covers(topic),
  });
  const subscription = source
    .pipe(
      tap((batch: readonly Message[]) => {
        startedMs = performance.now();
        arrivedMs = batch[0].arrivedMs;
        messages.add(batch.length);
      }),
      road(engine, {
        ...{ format, memory, observer: durable?.observer, history: past(history, durable?.history) },
        decoders: routes.map(({ decoder }) => decoder),
        counters: readings,
        onMalformed: (reason, { route, stream, feature, payload }) =>
          complaints.note(reason, routes[route].topics.topicOf(stream, feature), payload),
        onRetained: monitor.noteRetained,
      }),
    )
    .subscribe({ next: onOutcome, error: fail });
  return { failed, stop: () => subscription.unsubscribe() };
}
