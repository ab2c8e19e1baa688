import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadRecipe } from '../config/recipe.ts';
import type { Dataset } from '../data/dataset.ts';
import { loadDataset } from '../data/load.ts';
import { loadModel } from '../engine/engine.ts';
import type { Model } from '../model/model.ts';
import { type EmbeddedBroker, PortInUseError, startBroker } from '../mqtt/broker.ts';
import { parseTopicPattern } from '../mqtt/topic.ts';
import { startDemoService } from '../service/demo-service.ts';
import { formatTime } from '../signal/times.ts';
import { historyOf, type SensorMessage, testTicks } from './demo-data.ts';
import { type Observer, startObserver } from './demo-observer.ts';
import { type Replay, startReplay } from './demo-replay.ts';
import { createSnapshots, type DemoSnapshot } from './demo-snapshot.ts';
import { summarize } from './demo-table.ts';
import { openView } from './demo-view.ts';
import { readInputFile } from './input-file.ts';
import { UsageError } from './usage-error.ts';

export interface DemoOptions {
  /** From the first replayed message; without it until the test part is over. */
  readonly seconds?: number | undefined;
  /** Of the embedded broker; a free one without it. */
  readonly port?: number | undefined;
  readonly json: boolean;
  /** Neither a table nor lines of progress. */
  readonly quiet: boolean;
  readonly model?: string | undefined;
  readonly data?: string | undefined;
}

export class DemoError extends Error {
  override readonly name = 'DemoError';
}

const sensors = parseTopicPattern('sensors/{stream}/weather');
const forecasts = parseTopicPattern('cellstream/{stream}/forecast');
/** Hours of data a second. */
const ticksPerSecond = 30;
const drainMs = 1_000;
/** A timer that is set to more fires at once. */
const longestTimerMs = 2 ** 31 - 1;

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
  report(look(), options);
}

async function replayTestPart(options: DemoOptions, closing: Closing): Promise<() => DemoSnapshot> {
  const opened = <T extends Closing[number]>(part: T): T => {
    closing.push(part);
    return part;
  };
  const broker = opened(await openBroker(options.port));
  const engine = await loadModel(readInputFile(options.model ?? shippedPath('nyc-weather.pb'), 'model'));
  const { model, id: modelId } = engine;
  const dataset = openData(options.data ?? shippedPath('weather.csv'), model);
  const ticks = testTicks(dataset, model);
  if (ticks.length === 0) throw new UsageError(`the data has no row in the test part, ${testPart(model)}`);
  if (!options.quiet) {
    const sensorCount = dataset.series.length;
    console.error(`${model.name} ${model.version}: warming ${sensorCount} sensors on their history`);
  }

  const common = { brokerUrl: broker.url, sensors, forecasts };
  const history = historyOf(dataset, model);
  const service = opened(await startDemoService({ ...common, engine, history }));
  const target = model.input.names[model.output.targets[0]];
  const observer = opened(await startObserver({ ...common, target, modelId }));
  const onPublish = ({ stream, time }: SensorMessage) => observer.noteSent(stream, time);
  const replay = opened(await startReplay({ ...common, ticks, ticksPerSecond, onPublish }));
  const look = createSnapshots({
    url: broker.url,
    engine,
    service,
    observer,
    replay,
    allTicks: ticks.length,
  });
  if (!options.quiet) opened(openView(look, options));
  opened(stopOnRequest(replay, options.seconds));
  await Promise.race([replay.done, service.failed]);
  await Promise.race([drain(replay, observer), service.failed]);
  return look;
}

async function openBroker(port: number | undefined): Promise<EmbeddedBroker> {
  try {
    return await startBroker(port);
  } catch (cause) {
    throw cause instanceof PortInUseError ? new UsageError(cause.message, { cause }) : cause;
  }
}

/** The time limit and the signals all end the replay; what follows is the same. */
function stopOnRequest(replay: Replay, seconds: number | undefined): Closing[number] {
  const timer =
    seconds === undefined ? undefined : setTimeout(replay.stop, Math.min(seconds * 1000, longestTimerMs));
  process.once('SIGINT', replay.stop);
  process.once('SIGTERM', replay.stop);
  return {
    close() {
      clearTimeout(timer);
      process.off('SIGINT', replay.stop);
      process.off('SIGTERM', replay.stop);
    },
  };
}

/** Waits for the forecasts that are under way. */
async function drain(replay: Replay, observer: Observer): Promise<void> {
  const endMs = performance.now() + drainMs;
  while (observer.forecasts < replay.messages && performance.now() < endMs) await sleep(10);
}

function report(snapshot: DemoSnapshot, { json, seconds }: DemoOptions): void {
  const { url, streams, messages, forecasts, counters, n } = snapshot;
  if (forecasts === 0) {
    throw new DemoError(`no forecast came back for ${messages} messages: ${JSON.stringify(counters)}`);
  }
  if (n === 0) {
    const fix = seconds === undefined ? 'let it run longer' : `give --seconds more than ${seconds}`;
    throw new DemoError(`no target of ${forecasts} forecasts has arrived in ${messages} messages; ${fix}`);
  }
  if (!json) {
    console.log(
      `${messages} messages, ${forecasts} forecasts of ${streams.length} sensors. ${summarize(snapshot)}`,
    );
    return;
  }
  const { mae, persistenceMae, stepUsP50, stepUsP99, latencyMsP50, latencyMsP99 } = snapshot;
  const measures = { mae, persistenceMae, stepUsP50, stepUsP99, latencyMsP50, latencyMsP99 };
  const rounded = Object.entries(measures).map(([name, value]) => [name, Number(value.toFixed(4))]);
  console.log(
    JSON.stringify({
      url,
      streams: streams.length,
      messages,
      forecasts,
      ...Object.fromEntries(rounded),
      counters,
    }),
  );
}

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
