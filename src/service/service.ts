import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { type Subscription, tap } from 'rxjs';
import type { Dashboard, DashboardOptions } from '../dashboard/server.ts';
import type { ViewSource } from '../dashboard/view.ts';
import type { Engine } from '../engine/engine.ts';
import { createLink, type Link, type LinkOptions } from '../mqtt/link.ts';
import type { LinkEvent } from '../mqtt/link-report.ts';
import { createSink, type Sink } from '../mqtt/sink.ts';
import { createSourceCounts, mqttSource, type SourceCounts } from '../mqtt/source.ts';
import type { TopicPattern } from '../mqtt/topic.ts';
import { type Counters, createCounters } from '../stream/counters.ts';
import { decode, type Reading, sharedChannels } from '../stream/decode.ts';
import type { Message } from '../stream/payload.ts';
import type { RoadOptions } from '../stream/pipeline.ts';
import { warm } from '../stream/warm.ts';
import { createComplaints } from './complaints.ts';
import { createDeliveryMemory, type DeliveryMemory, recognizeAll } from './delivery-memory.ts';
import { type Durable, holdsReceipts, openDurable, type StateOptions } from './durable.ts';
import type { Log } from './log.ts';
import { createModelRoad, type ModelRoad } from './model-road.ts';
import type { Monitor } from './monitor.ts';
import { createOverview, type ReplayProgress } from './overview.ts';
import { createRate, type Rate } from './rate.ts';
import { createServing, type Serving } from './serving.ts';
import { answerTopicOf, type Route } from './subscriptions.ts';

export interface ServiceOptions extends Pick<RoadOptions, 'history' | 'combine' | 'latenessMs' | 'format'> {
  readonly name: string;
  readonly engine: Engine;
  /** Where the broker is and how to get in; the service adds its subscriptions. */
  readonly broker: Omit<LinkOptions, 'filters' | 'onEvent'>;
  readonly routes: readonly Route[];
  readonly publish: { readonly topics: TopicPattern; readonly qos: 0 | 1; readonly retain: boolean };
  /** The page; none when absent. */
  readonly dashboard?: Pick<DashboardOptions, 'host' | 'port' | 'token'> | undefined;
  readonly maxStreams: number;
  readonly staleAfterMs?: number | undefined;
  readonly log: Log;
  /** Where the states are kept; in memory alone when absent. */
  readonly state?: StateOptions | undefined;
  /** Where new models come; the life of the model listens there. */
  readonly modelTopic?: string | undefined;
  /** An earlier start has left a session at the broker. */
  readonly expectsSession?: boolean | undefined;
  /** Of a demo, for the page. */
  readonly replay?: (() => ReplayProgress) | undefined;
}

/** What has become of the models that came while the service ran. */
interface ModelCounts {
  promoted: number;
  refused: number;
  /** The id of the one that is stepped beside the model that serves. */
  shadow: string | null;
}

/** What a running service counts. */
export interface ServiceCounts {
  readonly readings: Counters;
  readonly monitor: Monitor;
  readonly models: ModelCounts;
  readonly messages: Rate & { readonly total: number };
  /** Messages that were not for the road. */
  readonly aside: SourceCounts;
  /** Nanoseconds a frame, live frames only. */
  readonly stepNs: RecordableHistogram;
  /** Nanoseconds from the arrival of a batch to its forecasts' way out. */
  readonly latencyNs: RecordableHistogram;
}

export interface Service extends ServiceCounts, Pick<ModelRoad, 'openShadow' | 'viewShadow'> {
  /** The model that publishes. */
  readonly engine: Engine;
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

/** The states warm, the page opens, and once it is opened every frame is answered until it is closed. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { name, engine, broker, routes, publish, log, format, modelTopic } = options;
  const charted = options.dashboard !== undefined;
  const first = createServing(engine, { ...options, charted });
  // whatever says its time is known again by it
  const deliveries = routes.every(({ saysTime }) => saysTime) ? undefined : createDeliveryMemory();
  const durable =
    options.state && (await openDurable({ ...options.state, ...first, format, log, deliveries }));
  const link = createLink({
    ...broker,
    holdsReceipts: (protocol) => options.state !== undefined && holdsReceipts(options.state.ack, protocol),
    filters: [
      ...routes.map(({ topics, qos }) => ({ topic: topics.filter, qos })),
      ...(modelTopic === undefined ? [] : [{ topic: modelTopic, qos: 1 as const }]),
    ],
    onEvent: createEventLog(options),
  });
  if (deliveries) link.onSession(deliveries.begin);
  const losses = createComplaints(({ reason, topic, since }) =>
    log.warn({ reason, topic, since }, `a forecast did not go out: ${describeLoss(reason)}`),
  );
  const sink = createSink(link, {
    ...publish,
    onLoss: (reason, { stream, payload }) => losses.note(reason, publish.topics.topicOf(stream), payload),
  });
  const counts = createCounts(() => run.models.serving.monitor);
  const run = createRun(options, { link, sink, counts, durable, deliveries, first, charted });
  const overview = createOverview({
    ...{ name, link, sink, counts, replay: options.replay },
    engine: () => run.models.serving.engine,
    shadow: run.models.viewShadow,
  });
  const view: ViewSource = (query) => ({
    overview: overview(),
    ...run.models.serving.viewStreams(query),
  });
  // first, since a port in use ends it all
  const dashboard =
    options.dashboard &&
    (await openDashboard({
      ...options.dashboard,
      source: view,
      targets: engine.model.output.targets.length,
    }).catch(async (error) => {
      await durable?.close();
      throw error;
    }));
  run.start();
  if (run.isWarmed) durable?.noteWarmed();
  durable?.start(link, sink);
  return {
    ...counts,
    ...{ link, sink, dashboard, view, durable, failed: run.failed },
    get monitor() {
      return counts.monitor;
    },
    get engine() {
      return run.models.serving.engine;
    },
    openShadow: run.models.openShadow,
    viewShadow: run.models.viewShadow,
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

/** A service without a page never loads the server. */
async function openDashboard(options: DashboardOptions): Promise<Dashboard> {
  const { startDashboard } = await import('../dashboard/server.ts');
  return startDashboard(options);
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

function createCounts(monitor: () => Monitor): ServiceCounts {
  const rate = createRate();
  let total = 0;
  return {
    readings: createCounters(),
    get monitor() {
      return monitor();
    },
    models: { promoted: 0, refused: 0, shadow: null },
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
  readonly durable: Durable | undefined;
  readonly deliveries: DeliveryMemory | undefined;
  readonly first: Serving;
  readonly charted: boolean;
}

/** First what somebody gives, then what was read before the restart: of both, what is late steps nothing. */
function* past(
  given: Iterable<readonly Reading[]>,
  kept: Iterable<readonly Reading[]>,
  onGiven: () => void,
): Iterable<readonly Reading[]> {
  for (const readings of given) {
    onGiven();
    yield readings;
  }
  yield* kept;
}

/** The road from the broker to the broker; from `start` on it is open. */
function createRun(options: ServiceOptions, parts: RoadParts) {
  const { link, sink, counts, durable, deliveries, first, charted } = parts;
  const { engine, routes, publish, log, broker, history, format, modelTopic } = options;
  const { readings, messages, stepNs, latencyNs } = counts;
  const complaints = createComplaints(({ reason, ...found }) =>
    log.warn({ reason, ...found }, `set aside a reading: ${reason}`),
  );
  let fail = (_: unknown) => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // whoever waits for it gets it; until then it is no unhandled rejection
  failed.catch(() => {});
  let isWarmed = false;
  let arrivedMs = 0;
  let startedMs = 0;
  const models = createModelRoad({
    ...options,
    ...{ first, charted, format, durable, counters: readings },
    onOutcome({ origin, publications, stepUs }) {
      sink.publish(publications);
      if (origin !== 'live') return;
      stepNs.record(Math.max(1, Math.round(stepUs * 1000)));
      latencyNs.record(Math.max(1, Math.round((performance.now() - startedMs) * 1e6)));
    },
    arrivedMs: () => arrivedMs,
    onDefect: fail,
  });
  const asideTopics = new Set([
    broker.statusTopic,
    ...(modelTopic === undefined ? [] : [modelTopic, answerTopicOf(modelTopic)]),
  ]);
  const source = mqttSource(link, {
    routes: routes.map(({ topics }) => topics),
    counts: counts.aside,
    limit: first.memory.arena.batchLimit,
    onAside: deliveries?.pass,
    onDone: durable?.onDone,
    isOwn: (topic) => asideTopics.has(topic) || publish.topics.covers(topic),
  });
  const road = source.pipe(
    tap((batch: readonly Message[]) => {
      startedMs = performance.now();
      arrivedMs = batch[0].arrivedMs;
      messages.add(batch.length);
    }),
    recognizeAll(deliveries, routes),
    decode({
      decoders: routes.map(({ decoder }) => decoder),
      counters: readings,
      channels: sharedChannels(engine.model),
      onMalformed: (reason, { route, stream, feature, payload }) =>
        complaints.note(reason, routes[route].topics.topicOf(stream, feature), payload),
      onRetained: models.noteRetained,
    }),
    warm(
      past(history ?? [], durable?.history ?? [], () => {
        isWarmed = true;
      }),
    ),
  );
  let subscription: Subscription | undefined;
  return {
    ...{ models, failed },
    /** By what somebody gave, once it is started. */
    get isWarmed() {
      return isWarmed;
    },
    start() {
      subscription = road.subscribe({ next: models.push, error: fail });
    },
    stop() {
      subscription?.unsubscribe();
      models.stop();
    },
  };
}
