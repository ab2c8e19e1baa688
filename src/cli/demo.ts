import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadRecipe } from '../config/recipe.ts';
import type { Dataset } from '../data/dataset.ts';
import { loadDataset } from '../data/load.ts';
import { type Engine, loadModel } from '../engine/engine.ts';
import type { Model } from '../model/model.ts';
import { type EmbeddedBroker, startBroker } from '../mqtt/broker.ts';
import { parseTopicPattern } from '../mqtt/topic.ts';
import { startDemoService } from '../service/demo-service.ts';
import { formatTime } from '../stream/format.ts';
import { historyOf, testTicks } from './demo-data.ts';
import { type Observer, startObserver } from './demo-observer.ts';
import { type Replay, startReplay } from './demo-replay.ts';
import { createSnapshots, type DemoSnapshot } from './demo-snapshot.ts';
import { summarize } from './demo-table.ts';
import { openView } from './demo-view.ts';

export interface DemoOptions {
  /** From the first replayed message; without it until the test part is over. */
  readonly seconds?: number | undefined;
  /** Of the embedded broker; a free one without it. */
  readonly port?: number | undefined;
  readonly json: boolean;
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

/** The whole service against a replay of recorded sensors, in one process and over a real broker. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const broker = await startBroker(options.port);
  try {
    await runAgainst(broker, options);
  } finally {
    await broker.close();
  }
}

async function runAgainst(broker: EmbeddedBroker, options: DemoOptions): Promise<void> {
  const engine = await openModel(options.model ?? shippedPath('nyc-weather.pb'));
  const dataset = openData(options.data ?? shippedPath('weather.csv'), engine.model);
  const ticks = testTicks(dataset, engine.model);
  if (ticks.length === 0)
    throw new DemoError(`the data has no row in the test part, ${testPart(engine.model)}`);

  let fail = (_: unknown) => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const common = { brokerUrl: broker.url, sensors, forecasts };
  const service = await startDemoService({
    ...common,
    engine,
    history: historyOf(dataset, engine.model),
    onFailure: fail,
  });
  const target = engine.model.input.names[engine.model.output.targets[0]];
  const observer = await startObserver({ ...common, target, modelId: engine.id });
  const replay = await startReplay({
    brokerUrl: broker.url,
    topics: sensors,
    ticks,
    ticksPerSecond,
    onPublish: ({ stream, time }) => observer.noteSent(stream, time),
  });
  const look = createSnapshots({
    url: broker.url,
    engine,
    service,
    observer,
    replay,
    allTicks: ticks.length,
  });
  const view = openView(look, options);
  const stopListening = stopOnRequest(replay, options.seconds);
  try {
    await Promise.race([replay.done, failed]);
    await Promise.race([drain(replay, observer), failed]);
  } finally {
    stopListening();
    view.close();
    for (const part of [replay, observer, service]) await part.close();
  }
  report(look(), options);
}

/** The time limit and the signals all end the replay; what follows is the same. */
function stopOnRequest(replay: Replay, seconds: number | undefined): () => void {
  const timer = seconds === undefined ? undefined : setTimeout(replay.stop, seconds * 1000);
  process.once('SIGINT', replay.stop);
  process.once('SIGTERM', replay.stop);
  return () => {
    clearTimeout(timer);
    process.off('SIGINT', replay.stop);
    process.off('SIGTERM', replay.stop);
  };
}

/** Waits for the forecasts that are under way. */
async function drain(replay: Replay, observer: Observer): Promise<void> {
  const endMs = performance.now() + drainMs;
  while (observer.forecasts < replay.messages && performance.now() < endMs) await sleep(10);
}

function report(snapshot: DemoSnapshot, { json }: DemoOptions): void {
  const { url, streams, messages, forecasts, counters } = snapshot;
  if (forecasts === 0) {
    throw new DemoError(`no forecast came back for ${messages} messages: ${JSON.stringify(counters)}`);
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

async function openModel(path: string): Promise<Engine> {
  const bytes = await readFile(path).catch((cause: Error) => {
    throw new DemoError(`cannot read the model ${path}: ${cause.message}`, { cause });
  });
  return loadModel(bytes);
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
