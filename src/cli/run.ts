import { readCredentials } from '../config/credentials.ts';
import { loadServiceConfig, type ServiceConfig } from '../config/service.ts';
import type { Engine } from '../engine/engine.ts';
import type { Model } from '../model/model.ts';
import type { LinkOptions } from '../mqtt/link.ts';
import { createLog, type Log } from '../service/log.ts';
import { startReports, summarizeService } from '../service/reports.ts';
import { type Service, startService } from '../service/service.ts';
import { openStateFolder, readSession, type SessionRecord, writeRecord } from '../service/session-file.ts';
import { createPublishTopics, createRoutes } from '../service/subscriptions.ts';
import { formatTime } from '../signal/times.ts';
import type { Reading } from '../stream/decode.ts';
import type { Report, RunArguments, Terminal } from './command.ts';
import { loadHistory } from './history.ts';
import { readInputFile } from './input-file.ts';
import { onInterrupt } from './interrupt.ts';
import { loadEngine } from './load-engine.ts';
import { UsageError } from './usage-error.ts';

/** The service of one config file, until SIGINT or SIGTERM. */
export async function runService(args: RunArguments, terminal: Terminal): Promise<Report> {
  const text = new TextDecoder().decode(readInputFile(args.config, 'config'));
  const config = loadServiceConfig(text, args.config);
  const log = createLog(config.name, { quiet: terminal.quiet });
  const engine = await loadEngine(config.model);
  checkFit(engine.model, args);
  const { service, session } = await prepare(config, engine, log, warmUp(args, engine.model, log));
  const stopped = stopSignal(log);
  try {
    await Promise.race([openService(service, session, config, log), stopped.promise, service.failed]);
    const stopReports = startReports(service, log);
    await Promise.race([stopped.promise, service.failed]).finally(stopReports);
  } finally {
    stopped.forget();
    await service.close();
  }
  const summary = summarizeService(service);
  log.info(summary, 'stopped');
  return { summary, text: describe(summary) };
}

function checkFit({ name, fit }: Model, { force = false }: RunArguments): void {
  if (fit || force) return;
  throw new UsageError(
    `the model ${name} is not fit for use: on validation persistence or seasonal naive was better; ` +
      'train another, or serve it all the same with --force',
  );
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
  if (commitMs !== undefined) openStateFolder(stateDir);
  const routes = createRoutes(config, engine.model);
  const topics = createPublishTopics(config, routes, engine.model);
  const broker = brokerOptions(config);
  const filters = routes.map((route) => route.topics.filter);
  const session = { clientId, filters };
  const { isKnown, goneFilters } = readSession(stateDir, session);
  const service = await startService({
    ...{ name, engine, routes, dashboard, maxStreams, latenessMs, combine, staleAfterMs, log, history },
    broker: {
      ...broker,
      goneFilters,
      statusTopic: `cellstream/${name}/status`,
    },
    publish: { topics, qos: publish.qos, retain: publish.retain },
    format: publish.format,
    expectsSession: isKnown,
    ...(commitMs !== undefined && { state: { folder: stateDir, commitMs, ack } }),
  });
  return { service, session };
}

function brokerOptions({ broker, clientId }: ServiceConfig): LinkOptions {
  const { url, servername, protocol } = broker;
  return { url, servername, protocol, clientId, ...readCredentials(broker) };
}

async function openService(
  service: Service,
  session: SessionRecord,
  config: ServiceConfig,
  log: Log,
): Promise<void> {
  const page = service.dashboard?.url;
  log.info({ ...(page && { page }), model: config.model, broker: service.link.address }, 'started');
  await service.open();
  try {
    openStateFolder(config.stateDir);
    writeRecord(config.stateDir, session);
  } catch (error) {
    const fix =
      'topics that leave the config later stay subscribed; name a folder that can be written with state.dir';
    log.warn({ reason: (error as Error).message }, `cannot remember the subscriptions: ${fix}`);
  }
}

/** Every row of --warm, a batch a time slot. */
function warmUp({ warm }: RunArguments, model: Model, log: Log): Iterable<readonly Reading[]> {
  if (warm === undefined) return [];
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
