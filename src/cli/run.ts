import { setFlagsFromString } from 'node:v8';
import { readCredentials, readPageToken } from '../config/credentials.ts';
import { loadServiceConfig, type ServiceConfig } from '../config/service.ts';
import type { Engine } from '../engine/engine.ts';
import type { Model } from '../model/model.ts';
import type { LinkOptions } from '../mqtt/link.ts';
import { untilDiskTakes } from '../service/disk-retry.ts';
import { createLog, type Log } from '../service/log.ts';
import { type ModelLife, startModelLife } from '../service/model-life.ts';
import { type ModelShelf, openModelShelf } from '../service/model-shelf.ts';
import { startReports, summarizeService } from '../service/reports.ts';
import { type Service, startService } from '../service/service.ts';
import { openStateFolder, readSession, type SessionRecord, writeRecord } from '../service/session-file.ts';
import { createPublishTopics, createRoutes } from '../service/subscriptions.ts';
import { formatTime } from '../signal/times.ts';
import { type FolderLock, lockFolder } from '../state/lock.ts';
import type { Reading } from '../stream/decode.ts';
import type { Report, RunArguments, Terminal } from './command.ts';
import { readInputFile } from './input-file.ts';
import { onInterrupt } from './interrupt.ts';
import { chooseServingModel } from './serving-model.ts';
import { withThreads } from './thread-engine.ts';
import { readTrustedKeys } from './trusted-keys.ts';

/** The service of one config file, until SIGINT or SIGTERM. */
export async function runService(args: RunArguments, terminal: Terminal): Promise<Report> {
  // V8 waits until garbage takes several times the room of what lives, and lets its young generation grow to 48 MB: 250 MB with
  // 10,000 streams, 170 with the first and 150 with the second, whose collections also take 2 ms and not 5
  setFlagsFromString('--heap-growing-percent=50');
  setFlagsFromString('--semi-space-growth-factor=1');
  const text = new TextDecoder().decode(readInputFile(args.config, 'config'));
  const config = loadServiceConfig(text, args.config);
  const log = createLog(config.name, { quiet: terminal.quiet });
  const shelf = openModelShelf(config.stateDir, config.name, ({ message: reason }) =>
    log.warn({ reason }, 'a model that is no longer needed stays on disk'),
  );
  // before it is asked which model serves, or a rollback meanwhile would be lost
  const held = await holdFolder(config, shelf, log);
  try {
    return await serve(args, { config, shelf, log, holdsModels: held !== undefined });
  } finally {
    await held?.release();
  }
}

/** What this service remembers is its own for as long as it runs. undefined where there is nowhere to remember models, which
 * then change with a restart only.
 * @throws StateError when another one has the states */
async function holdFolder(
  { stateDir, commitMs }: ServiceConfig,
  shelf: ModelShelf,
  log: Log,
): Promise<FolderLock | undefined> {
  if (commitMs !== undefined) {
    openStateFolder(stateDir);
    return await lockFolder(stateDir);
  }
  try {
    openStateFolder(stateDir);
    return await shelf.hold();
  } catch (error) {
    warnOfRestarts(log, error as Error);
    return undefined;
  }
}

function warnOfRestarts(log: Log, { message: reason }: Error): void {
  log.warn(
    { reason },
    'new models need a restart: name a folder with state.dir that can be written and is of this service alone',
  );
}

interface Place {
  readonly config: ServiceConfig;
  readonly shelf: ModelShelf;
  readonly log: Log;
  readonly holdsModels: boolean;
}

async function serve(args: RunArguments, place: Place): Promise<Report> {
  let life: ModelLife | undefined;
  const forgetHangup = onHangup(() => {
    if (life) life.reload();
    else
      place.log.warn({}, 'SIGHUP looks at no model: this service has not yet started, or takes no new ones');
  });
  try {
    return await serveUntilStopped(args, place, (begun) => {
      life = begun;
    });
  } finally {
    forgetHangup();
  }
}

async function serveUntilStopped(
  args: RunArguments,
  { config, shelf, log, holdsModels }: Place,
  onLife: (life: ModelLife) => void,
): Promise<Report> {
  const rules = { keys: readTrustedKeys(config.models.trust), takesUnfit: args.force ?? false };
  const chosen = await chooseServingModel(config, { ...rules, shelf, log });
  const engine = withThreads(chosen.engine, config.threads, log);
  const history = await warmUp(args, engine.model, log);
  const { service, session } = await prepare(config, engine, log, history);
  const { topic, shadowMs } = config.models;
  const life = holdsModels
    ? startModelLife({ ...rules, service, shelf, log, start: chosen, path: config.model, topic, shadowMs })
    : undefined;
  if (life) onLife(life);
  const ending = new AbortController();
  const stopped = stopSignal(log);
  try {
    await Promise.race([
      openService(service, { session, config, log, signal: ending.signal }),
      stopped.promise,
      service.failed,
    ]);
    const stopReports = startReports(service, log);
    await Promise.race([stopped.promise, service.failed]).finally(stopReports);
  } finally {
    stopped.forget();
    ending.abort();
    const ended = life?.stop();
    await service.close();
    await ended;
  }
  const summary = summarizeService(service);
  log.info(summary, 'stopped');
  return { summary, text: describe(summary) };
}

/** @returns what ends it */
function onHangup(handler: () => void): () => void {
  // a terminal that is closed means the end
  if (process.stdin.isTTY) return () => {};
  process.on('SIGHUP', handler);
  return () => process.off('SIGHUP', handler);
}

async function prepare(
  config: ServiceConfig,
  engine: Engine,
  log: Log,
  history: Iterable<readonly Reading[]>,
): Promise<{ service: Service; session: SessionRecord }> {
  const { name, clientId, publish, dashboard, stateDir, maxStreams, latenessMs, combine, staleAfterMs } =
    config;
  const { commitMs, ack } = config;
  const routes = createRoutes(config, engine.model);
  const topics = createPublishTopics(config, routes, engine.model);
  const broker = brokerOptions(config);
  const modelTopic = config.models.topic;
  const filters = [
    ...routes.map((route) => route.topics.filter),
    ...(modelTopic === undefined ? [] : [modelTopic]),
  ];
  const session = { clientId, filters };
  const { isKnown, goneFilters } = readSession(stateDir, session);
  const service = await startService({
    ...{ name, engine, routes, maxStreams, latenessMs, combine, staleAfterMs, log, history },
    broker: {
      ...broker,
      goneFilters,
      statusTopic: `cellstream/${name}/status`,
    },
    publish: { topics, qos: publish.qos, retain: publish.retain },
    format: publish.format,
    ...(dashboard && { dashboard: { ...dashboard, token: readPageToken(dashboard) } }),
    ...{ expectsSession: isKnown, modelTopic },
    ...(commitMs !== undefined && { state: { folder: stateDir, commitMs, ack } }),
  });
  return { service, session };
}

function brokerOptions({ broker, clientId }: ServiceConfig): LinkOptions {
  const { url, servername, protocol } = broker;
  return { url, servername, protocol, clientId, ...readCredentials(broker) };
}

interface Opening extends Pick<Place, 'config' | 'log'> {
  readonly session: SessionRecord;
  /** Aborted when the service stops. */
  readonly signal: AbortSignal;
}

async function openService(service: Service, opening: Opening): Promise<void> {
  const { config, log } = opening;
  const page = service.dashboard?.url;
  log.info({ ...(page && { page }), model: config.model, broker: service.link.address }, 'started');
  await service.open();
  // not awaited: the last attempt is made the moment that the service stops
  void rememberSession(opening);
}

function rememberSession({ config: { stateDir }, session, log, signal }: Opening): Promise<boolean> {
  return untilDiskTakes(
    () => {
      openStateFolder(stateDir);
      writeRecord(stateDir, session);
    },
    {
      onTrouble({ message: reason }) {
        const fix =
          'topics that leave the config later stay subscribed; name a folder that can be written with state.dir';
        log.warn({ reason }, `cannot remember the subscriptions, and tries again: ${fix}`);
      },
      signal,
    },
  );
}

/** Every row of --warm, a batch a time slot. */
async function warmUp({ warm }: RunArguments, model: Model, log: Log): Promise<Iterable<readonly Reading[]>> {
  if (warm === undefined) return [];
  const { loadHistory } = await import('./history.ts');
  const { batches, streams, endMs } = loadHistory(warm, model, (line) => log.warn({}, line));
  log.info({ streams, until: formatTime(endMs) }, `warming the states from ${warm}`);
  return batches;
}

interface StopSignal {
  readonly promise: Promise<void>;
  forget(): void;
}

/** Resolves at SIGINT or SIGTERM. */
function stopSignal(log: Log): StopSignal {
  let forget = () => {};
  const promise = new Promise<void>((resolve) => {
    forget = onInterrupt(() => {
      log.info({}, 'stopping');
      resolve();
    });
  });
  return { promise, forget };
}

function describe({ messages, forecasts, streams, reconnects }: ReturnType<typeof summarizeService>): string {
  return `${messages} messages of ${streams} streams, ${forecasts.published} forecasts, ${reconnects} reconnects`;
}
