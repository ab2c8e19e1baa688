import { createHistogram } from 'node:perf_hooks';
import type { Dashboard, DashboardOptions } from '../dashboard/server.ts';
import type { ViewSource } from '../dashboard/view.ts';
import type { Engine } from '../engine/engine.ts';
import { createLink, type Link, type LinkOptions } from '../mqtt/link.ts';
import type { LinkEvent } from '../mqtt/link-report.ts';
import { createSink, type Sink } from '../mqtt/sink.ts';
import { createSourceCounts } from '../mqtt/source.ts';
import type { TopicPattern } from '../mqtt/topic.ts';
import { createCounters } from '../stream/counters.ts';
import { createComplaints } from './complaints.ts';
import { createDeliveryMemory } from './delivery-memory.ts';
import { type Durable, holdsReceipts, openDurable, type StateOptions } from './durable.ts';
import { createLiveRoad, type LiveRoadOptions, type RoadCounts } from './live-road.ts';
import type { ModelRoad } from './model-road.ts';
import type { Monitor } from './monitor.ts';
import { createOverview, type ReplayProgress } from './overview.ts';
import { createRate, type Rate } from './rate.ts';
import { createServing } from './serving.ts';

export interface ServiceOptions extends Omit<LiveRoadOptions, 'charted'> {
  readonly name: string;
  /** Where the broker is and how to get in; the service adds its subscriptions. */
  readonly broker: Omit<LinkOptions, 'filters' | 'onEvent'>;
  readonly publish: { readonly topics: TopicPattern; readonly qos: 0 | 1; readonly retain: boolean };
  /** The page; none when absent. */
  readonly dashboard?: Pick<DashboardOptions, 'host' | 'port' | 'token'> | undefined;
  /** Where the states are kept; in memory alone when absent. */
  readonly state?: StateOptions | undefined;
  /** An earlier start has left a session at the broker. */
  readonly expectsSession?: boolean | undefined;
  /** Of a demo, for the page. */
  readonly replay?: (() => ReplayProgress) | undefined;
}

/** What has become of the models that came while the service ran. */
interface ModelCounts {
  promoted: number;
  refused: number;
  /** By a newer one of the topic, before they were looked at. */
  superseded: number;
  /** The id of the one that is stepped beside the model that serves. */
  shadow: string | null;
}

/** What a running service counts. */
export interface ServiceCounts extends RoadCounts {
  readonly monitor: Monitor;
  readonly models: ModelCounts;
  readonly messages: Rate & { readonly total: number };
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
  const roadOptions = { ...options, charted: options.dashboard !== undefined };
  const first = createServing(engine, roadOptions);
  // whatever says its time is known again by it
  const deliveries = routes.every(({ saysTime }) => saysTime) ? undefined : createDeliveryMemory();
  const durable =
    options.state && (await openDurable({ ...options.state, ...first, format, log, deliveries }));
  let isStarting = true;
  const logEvent = createEventLog(options);
  const link = createLink({
    ...broker,
    holdsReceipts: (protocol) => options.state !== undefined && holdsReceipts(options.state.ack, protocol),
    filters: [
      ...routes.map(({ topics, qos }) => ({ topic: topics.filter, qos })),
      ...(modelTopic === undefined ? [] : [{ topic: modelTopic, qos: 1 as const }]),
    ],
    onEvent(event) {
      isStarting = false;
      logEvent(event);
    },
  });
  if (deliveries) link.onSession(deliveries.begin);
  const losses = createComplaints(({ reason, topic, since }) =>
    log.warn({ reason, topic, since }, `a forecast did not go out: ${describeLoss(reason)}`),
  );
  const sink = createSink(link, {
    ...publish,
    onLoss: (reason, { stream, payload }) => losses.note(reason, publish.topics.topicOf(stream), payload),
  });
  const counts = createCounts(() => road.models.serving.monitor);
  const road = createLiveRoad(roadOptions, { link, sink, counts, durable, deliveries, first });
  const overview = createOverview({
    ...{ name, link, sink, counts, replay: options.replay },
    isStarting: () => isStarting,
    engine: () => road.models.serving.engine,
    shadow: road.models.viewShadow,
  });
  const view: ViewSource = (query) => ({
    overview: overview(),
    ...road.models.serving.viewStreams(query),
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
  const { isWarmed } = await road.start();
  if (isWarmed) durable?.noteWarmed();
  durable?.start(link, sink);
  return {
    ...counts,
    ...{ link, sink, dashboard, view, durable, failed: road.failed },
    get monitor() {
      return counts.monitor;
    },
    get engine() {
      return road.models.serving.engine;
    },
    openShadow: road.models.openShadow,
    viewShadow: road.models.viewShadow,
    open: (timeoutMs) => link.open(timeoutMs === undefined ? {} : { timeoutMs }),
    async close() {
      // what comes from here on stays with the broker; what came last is still to be counted
      link.leave();
      await new Promise(setImmediate);
      await durable?.end();
      await link.close({ timeoutMs: longestGoodbyeMs });
      road.stop();
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
    models: { promoted: 0, refused: 0, superseded: 0, shadow: null },
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
