import type { RecordableHistogram } from 'node:perf_hooks';
import { filter, type Observable, type Subscription, tap } from 'rxjs';
import type { Engine } from '../engine/engine.ts';
import type { Link } from '../mqtt/link.ts';
import type { Sink } from '../mqtt/sink.ts';
import { mqttSource, type SourceCounts } from '../mqtt/source.ts';
import type { TopicPattern } from '../mqtt/topic.ts';
import { formatTime } from '../signal/times.ts';
import type { Counters } from '../stream/counters.ts';
import { decode, type Reading, type ReadingBatch, sharedChannels } from '../stream/decode.ts';
import type { Message } from '../stream/payload.ts';
import type { RoadOptions } from '../stream/pipeline.ts';
import { createComplaints } from './complaints.ts';
import { type DeliveryMemory, recognizeAll } from './delivery-memory.ts';
import type { Durable } from './durable.ts';
import type { Log } from './log.ts';
import { createModelRoad, type ModelRoad } from './model-road.ts';
import { createPauses } from './pauses.ts';
import type { Rate } from './rate.ts';
import type { Serving, ServingOptions } from './serving.ts';
import { answerTopicOf, type Route } from './subscriptions.ts';

export interface LiveRoadOptions extends ServingOptions, Pick<RoadOptions, 'history' | 'format'> {
  readonly engine: Engine;
  readonly broker: { readonly statusTopic?: string | undefined };
  readonly routes: readonly Route[];
  readonly publish: { readonly topics: TopicPattern };
  /** Where new models come; the life of the model listens there. */
  readonly modelTopic?: string | undefined;
  readonly log: Log;
}

/** What is counted of all that comes and goes. */
export interface RoadCounts {
  readonly readings: Counters;
  readonly messages: Pick<Rate, 'add'>;
  /** Messages that were not for the road. */
  readonly aside: SourceCounts;
  /** Nanoseconds a frame, live frames only. */
  readonly stepNs: RecordableHistogram;
  /** Nanoseconds from the arrival of a batch to its forecasts' way out. */
  readonly latencyNs: RecordableHistogram;
}

interface RoadParts {
  readonly link: Link;
  readonly sink: Sink;
  readonly counts: RoadCounts;
  readonly durable: Durable | undefined;
  readonly deliveries: DeliveryMemory | undefined;
  readonly first: Serving;
}

/** The road from the broker to the broker. */
interface LiveRoad {
  readonly models: ModelRoad;
  /** Rejects when a defect of ours has stopped it. */
  readonly failed: Promise<never>;
  /** Goes through the past, then the road is open; where a defect has stopped it, `failed` tells, and it stays closed.
   * @returns whether the states come from `history` too, which the disk does not have */
  start(): Promise<{ readonly isWarmed: boolean }>;
  stop(): void;
}

/** Longest stretch of the past in one turn of the event loop: the page waits meanwhile. */
const turnMs = 50;
/** Readings of the past that go down at once. */
const sliceLength = 4096;

export function createLiveRoad(options: LiveRoadOptions, parts: RoadParts): LiveRoad {
  const { sink, counts, durable, deliveries, first } = parts;
  const { routes, history } = options;
  let hasFailed = false;
  let fail = (_: unknown) => {};
  const failed = new Promise<never>((_, reject) => {
    fail = (defect) => {
      hasFailed = true;
      reject(defect);
    };
  });
  // whoever waits for it gets it; until then it is no unhandled rejection
  failed.catch(() => {});
  let arrivedMs = 0;
  let startedMs = 0;
  const models = createModelRoad({
    ...options,
    ...{ first, durable, counters: counts.readings },
    onOutcome({ origin, publications, stepUs }) {
      sink.publish(publications);
      if (origin !== 'live') return;
      counts.stepNs.record(Math.max(1, Math.round(stepUs * 1000)));
      counts.latencyNs.record(Math.max(1, Math.round((performance.now() - startedMs) * 1e6)));
    },
    arrivedMs: () => arrivedMs,
    onDefect: fail,
  });
  // what a defect keeps from the log stays with the broker: nothing is acknowledged from then on
  const onDone = () => {
    if (!hasFailed) durable?.onDone();
  };
  const road = createSource(options, parts, onDone).pipe(
    tap((batch) => {
      startedMs = performance.now();
      arrivedMs = batch[0].arrivedMs;
      counts.messages.add(batch.length);
    }),
    // nor taken for known when it comes again
    filter(() => !hasFailed),
    recognizeAll(deliveries, routes),
    decodeAll(options, counts, models),
  );
  let subscription: Subscription | undefined;

  /** @returns whether there was any */
  async function goThrough(past: Iterable<readonly Reading[]>): Promise<boolean> {
    const pause = createPauses(turnMs);
    let isAny = false;
    try {
      for (const readings of past) {
        for (let at = 0; at < readings.length; at += sliceLength) {
          if (hasFailed) return isAny;
          models.push({ origin: 'history', readings: readings.slice(at, at + sliceLength) });
          isAny = true;
          await pause();
        }
      }
    } catch (defect) {
      fail(defect);
    }
    return isAny;
  }

  return {
    ...{ models, failed },
    async start() {
      // first what somebody gives, then what the disk has: of both, what is late steps nothing
      const isWarmed = await goThrough(history ?? []);
      await goThrough(durable?.history ?? []);
      if (hasFailed) return { isWarmed: false };
      subscription = road.subscribe({ next: models.push, error: fail });
      warnOfClock(models.serving, options);
      warnOfTooMany(models.serving, options);
      return { isWarmed };
    },
    stop() {
      subscription?.unsubscribe();
      models.stop();
    },
  };
}

/** What has no time of its own gets that of a clock that is perhaps not yet set. */
function warnOfClock({ memory }: Serving, { routes, log }: LiveRoadOptions): void {
  if (routes.every(({ saysTime }) => saysTime)) return;
  let newestMs = Number.NEGATIVE_INFINITY;
  for (const { aligner } of memory.table.streams.values()) newestMs = Math.max(newestMs, aligner.newestMs);
  if (newestMs <= Date.now()) return;
  log.warn(
    { newest: formatTime(newestMs) },
    'the clock is behind the newest reading: what has no time of its own counts as late until it is set',
  );
}

/** States that nobody may have are not saved again either. */
function warnOfTooMany({ memory }: Serving, { maxStreams, log }: LiveRoadOptions): void {
  if (!memory.table.isOver) return;
  log.warn(
    { maxStreams },
    'state.dir, or --warm, has more streams than maxStreams: the states of the others are left out, and gone after two snapshots; raise it and start again to keep them',
  );
}

/** What comes for the road, and nothing that this service itself says. */
function createSource(
  { routes, publish, broker, modelTopic }: LiveRoadOptions,
  { link, counts, deliveries, first }: RoadParts,
  onDone: () => void,
): Observable<readonly Message[]> {
  const asideTopics = new Set([
    broker.statusTopic,
    ...(modelTopic === undefined ? [] : [modelTopic, answerTopicOf(modelTopic)]),
  ]);
  return mqttSource(link, {
    routes: routes.map(({ topics }) => topics),
    counts: counts.aside,
    limit: first.memory.arena.batchLimit,
    onAside: deliveries?.pass,
    onDone,
    isOwn: (topic) => asideTopics.has(topic) || publish.topics.covers(topic),
  });
}

/** Says what is malformed, and lets the monitor know of what was retained. */
function decodeAll(
  { engine, routes, log }: LiveRoadOptions,
  { readings }: RoadCounts,
  models: ModelRoad,
): (messages: Observable<readonly Message[]>) => Observable<ReadingBatch> {
  const complaints = createComplaints(({ reason, ...found }) =>
    log.warn({ reason, ...found }, `set aside a reading: ${reason}`),
  );
  return decode({
    decoders: routes.map(({ decoder }) => decoder),
    counters: readings,
    channels: sharedChannels(engine.model),
    newestMs: (stream) =>
      models.serving.memory.table.streams.get(stream)?.aligner.newestMs ?? Number.NEGATIVE_INFINITY,
    onMalformed: (reason, { route, stream, feature, payload }) =>
      complaints.note(reason, routes[route].topics.topicOf(stream, feature), payload),
    onRetained: models.noteRetained,
  });
}
