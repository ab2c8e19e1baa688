import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadRecipe } from '../config/recipe.ts';
import { DashboardPortError } from '../dashboard/port-error.ts';
import type { Dataset } from '../data/dataset.ts';
import { loadDataset } from '../data/load.ts';
import { type Engine, loadModel } from '../engine/engine.ts';
import type { Model } from '../model/model.ts';
import { startBroker } from '../mqtt/broker.ts';
import { createLink } from '../mqtt/link.ts';
import { parseTopicPattern } from '../mqtt/topic.ts';
import type { Log } from '../service/log.ts';
import { type ServiceOptions, startService } from '../service/service.ts';
import { slotOf } from '../signal/slots.ts';
import { formatTime } from '../signal/times.ts';
import { flatJson, jsonDecoder } from '../stream/read-json.ts';
import { testTicks } from './demo-data.ts';
import { type Observer, startObserver } from './demo-observer.ts';
import { reportDemo } from './demo-report.ts';
import { createSnapshots, type DemoSnapshot } from './demo-snapshot.ts';
import { openView } from './demo-view.ts';
import { historyOf } from './history.ts';
import { readInputFile } from './input-file.ts';
import { onInterrupt } from './interrupt.ts';
import { type Player, startPlayer, type Tick } from './player.ts';
import { UsageError } from './usage-error.ts';

export interface DemoOptions {
  /** From the first replayed message; without it until the test part is over, and then the page stays. */
  readonly seconds?: number | undefined;
  /** Of the page; 8080 or, when that is taken, a free one without it. */
  readonly port?: number | undefined;
  readonly json: boolean;
  /** Neither a table nor lines of progress. */
  readonly quiet: boolean;
  readonly model?: string | undefined;
  readonly data?: string | undefined;
}

const sensors = parseTopicPattern('sensors/{stream}/weather');
const forecasts = parseTopicPattern('cellstream/{stream}/forecast');
/** Hours of data a second. */
const ticksPerSecond = 25;
const usualPort = 8080;
const connectTimeoutMs = 5_000;
const drainMs = 1_000;

/** Whatever has to be closed, the newest first. */
type Closing = { close(): unknown }[];

/** The whole service against a replay of recorded sensors, in one process and over a real broker. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const closing: Closing = [];
  let look: () => DemoSnapshot;
  try {
    look = await replayTestPart(options, closing);
  } finally {
    for (const part of closing.reverse()) await part.close();
  }
  reportDemo(look(), options);
}

async function replayTestPart(options: DemoOptions, closing: Closing): Promise<() => DemoSnapshot> {
  const opened = <T extends Closing[number]>(part: T): T => {
    closing.push(part);
    return part;
  };
  const engine = await loadModel(readInputFile(options.model ?? shippedPath('nyc-weather.pb'), 'model'));
  const { model } = engine;
  const dataset = openData(options.data ?? shippedPath('weather.csv'), model);
  const ticks = testTicks(dataset, model);
  if (ticks.length === 0) throw new UsageError(`the data has no row in the test part, ${testPart(model)}`);
  const broker = opened(await startBroker());
  if (!options.quiet) {
    console.error(
      `${model.name} ${model.version}: warming ${dataset.series.length} sensors on their history`,
    );
  }
  const progress: { player?: Player } = {};
  const replay = () => ({ done: progress.player?.ticks ?? 0, total: ticks.length });
  const service = opened(await openService(options, { engine, dataset, brokerUrl: broker.url, replay }));
  const observer = opened(await startObserver({ brokerUrl: broker.url, forecasts, modelId: engine.id }));
  const player = opened(await openPlayer(broker.url, ticks, model, observer));
  progress.player = player;
  const url = service.dashboard?.url ?? '';
  const look = createSnapshots({ service, url, observer, player, allTicks: ticks.length });
  if (!options.quiet) opened(openView(look, options));
  const stop = opened(stopOnRequest(player, options.seconds));
  await Promise.race([player.done, service.failed]);
  await Promise.race([drain(player, observer), service.failed]);
  const staysOpen = options.seconds === undefined && !options.json;
  if (staysOpen) await Promise.race([stop.requested, service.failed]);
  return look;
}

interface ServiceParts {
  readonly engine: Engine;
  readonly dataset: Dataset;
  readonly brokerUrl: string;
  readonly replay: NonNullable<ServiceOptions['replay']>;
}

async function openService({ port }: DemoOptions, { engine, dataset, brokerUrl, replay }: ServiceParts) {
  const { names, periodMs } = engine.model.input;
  const testStart = slotOf(engine.model.training.validationEndMs, periodMs);
  const start = (pagePort: number) =>
    startService({
      ...{ name: 'cellstream demo', engine, replay, log: terminalLog, maxStreams: 1000 },
      broker: { url: brokerUrl },
      routes: [
        { topics: sensors, qos: 0, decoder: jsonDecoder(flatJson(names)), saysTime: true, brings: names },
      ],
      publish: { topics: forecasts, qos: 0, retain: false },
      history: historyOf(dataset, testStart),
      // the recording runs faster than the clock: a sensor is never stale in it
      staleAfterMs: Number.POSITIVE_INFINITY,
      dashboard: { host: '127.0.0.1', port: pagePort },
    });
  const service = await start(port ?? usualPort).catch((error: unknown) => {
    if (!(error instanceof DashboardPortError)) throw error;
    if (port !== undefined) throw new UsageError(error.message, { cause: error });
    return start(0);
  });
  await service.open(connectTimeoutMs);
  return service;
}

/** The sensors, as a client of their own. */
async function openPlayer(
  url: string,
  ticks: readonly Tick[],
  { input }: Model,
  observer: Observer,
): Promise<Player & Closing[number]> {
  const link = createLink({ url });
  await link.open({ timeoutMs: connectTimeoutMs });
  const player = startPlayer({
    ...{ link, ticks, topics: sensors, qos: 0 as const },
    speed: (input.periodMs * ticksPerSecond) / 1000,
    onPublish: ({ stream, payload }) => observer.noteSent(payload, stream),
  });
  return Object.assign(player, {
    async close() {
      player.stop();
      await link.close();
    },
  });
}

interface Stop extends Record<'close', () => void> {
  /** Resolves when a person asks for the end. */
  readonly requested: Promise<void>;
}

/** The time limit and the signals all end the replay; what follows is the same. */
function stopOnRequest(player: Player, seconds: number | undefined): Stop {
  let request = () => {};
  const requested = new Promise<void>((resolve) => {
    request = () => {
      player.stop();
      resolve();
    };
  });
  const timer = seconds === undefined ? undefined : setTimeout(request, seconds * 1000);
  const detach = onInterrupt(request);
  return {
    requested,
    close() {
      clearTimeout(timer);
      detach();
    },
  };
}

/** Waits for the forecasts that are under way. */
async function drain(player: Player, observer: Observer): Promise<void> {
  const endMs = performance.now() + drainMs;
  while (observer.forecasts < player.messages && performance.now() < endMs) await sleep(10);
}

/** People watch a demo: only what goes wrong is said, in words. */
const terminalLog: Log = {
  info() {},
  warn: (_, message) => console.error(`demo: ${message}`),
  error: (_, message) => console.error(`demo: ${message}`),
};

/** The columns are those of the recipe that the model was trained by. */
function openData(path: string, { input, training }: Model): Dataset {
  const { time, stream } = loadRecipe(training.recipe, 'the recipe in the model');
  return loadDataset(path, { features: input.names, periodMs: input.periodMs, time, stream });
}

function testPart({ training: { validationEndMs, testEndMs } }: Model): string {
  return `${formatTime(validationEndMs)} to ${formatTime(testEndMs)}`;
}

/** The package's root is two folders up from src/cli and from dist/cli. */
function shippedPath(file: string): string {
  return fileURLToPath(new URL(`../../models/nyc-weather/${file}`, import.meta.url));
}
