import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadServiceConfig } from '../../src/config/service.ts';
import { loadModel } from '../../src/engine/engine.ts';
import { writeModelFile } from '../../src/model/format.ts';
import { createLink } from '../../src/mqtt/link.ts';
import { parseTopicPattern } from '../../src/mqtt/topic.ts';
import { createRoutes } from '../../src/service/subscriptions.ts';
import { createDice, createModel, type Dice, hourMs } from '../fixtures/random-model.ts';
import { mountSmallDisk, type SmallDisk } from '../state/small-disk.ts';
import { createFaults, type FaultName } from './faults.ts';
import { createLogReader } from './log-reader.ts';
import { createBroker, createService } from './plant.ts';
import { createReference, findDifferences, type Reference, restoreMemory } from './reference.ts';
import { createSender, type Sender } from './sender.ts';
import { createSensors, featureKeys, hourOf, lastWords, topics } from './sensors.ts';
import { createTally } from './tally.ts';
import { layWire } from './wire.ts';

export interface ChaosOptions {
  readonly kills: number;
  readonly seed: number;
  readonly streams?: number;
  readonly perSecond?: number;
  /** Progress and complaints. */
  readonly say?: (line: string) => void;
}

export interface ChaosReport {
  readonly seed: number;
  readonly kills: number;
  readonly faults: Readonly<Record<string, number>>;
  /** The state folder had a disk of its own, which can be filled. */
  readonly hasDisk: boolean;
  readonly streams: number;
  readonly messages: number;
  readonly perSecond: number;
  /** Readings that changed a state of the uninterrupted run and are not in the log. */
  readonly lost: number;
  /** Readings that are in the log more often. */
  readonly doubled: number;
  /** Streams whose state is not that of the uninterrupted run, to the bit. */
  readonly wrongStates: number;
  /** Streams whose newest forecast is not the same, to the byte: after the last fault, before anything newer comes, and at the
   * end. */
  readonly wrongForecasts: number;
  /** Messages of the lives that ended with a SIGTERM that are in no counter, or in two, as each has one number; and readings that
   * were counted as applied or merged and are not in the log, or the other way round. */
  readonly miscounted: number;
  /** Readings of the sensors that came again or too late, and changed no state. */
  readonly duplicates: number;
  /** From SIGTERM to the end of the process; 0 without one. */
  readonly slowestStopMs: number;
  readonly seconds: number;
}

/** That a SIGTERM may take. */
export const longestStopMs = 5_000;
/** Nothing new for that long: what is not there by now does not come. */
const silenceMs = 30_000;
/** For two snapshots, the log that is kept for other models and the one in hand. */
const diskKilobytes = 160 * 1024;
const otherFaults: readonly FaultName[] = [
  'end of the service',
  'restart of the broker',
  'cut of the link',
  'slow link',
  'pause',
];

/** Runs the real service on a real broker, kills it again and again, and compares what is left with a run that nothing
 * interrupted. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-chaos-'));
  const disk = mountSmallDisk(stateFolderIn(folder), diskKilobytes);
  try {
    return await runIn(folder, disk, options);
  } finally {
    disk?.unmount();
    rmSync(folder, { recursive: true, force: true });
  }
}

const stateFolderIn = (folder: string) => join(folder, 'plant.state');

async function runIn(
  folder: string,
  disk: SmallDisk | undefined,
  { kills, seed, streams = 1_000, perSecond = 5_000, say = () => {} }: ChaosOptions,
): Promise<ChaosReport> {
  const startMs = performance.now();
  const dice = createDice(seed);
  const brokerFolder = join(folder, 'broker');
  mkdirSync(brokerFolder);
  const broker = await createBroker(brokerFolder, say);
  const wire = await layWire(broker.port);
  const lateness = dice.pick([0, 2]);
  const config = writeConfig(folder, { seed, port: wire.port, lateness, dice });
  const engine = await loadModel(readFileSync(join(folder, 'model.pb')));
  const routes = createRoutes(loadServiceConfig(readFileSync(config, 'utf8'), config), engine.model);
  const reference = createReference({ engine, routes, streams, latenessMs: lateness * hourMs });
  const service = createService(config, say);
  const stateFolder = stateFolderIn(folder);
  const logged = createTally(streams);
  const log = createLogReader(stateFolder, logged);
  const counts: Record<string, number> = {};
  let slowestStopMs = 0;
  let miscounted = 0;
  let endCode: number | null = null;
  /** Readings in the log when the life in hand began. */
  let loggedBefore = 0;
  const checkCounters = async () => {
    const { messages, readings } = JSON.parse(service.output) as Summary;
    miscounted += Math.abs(messages - Object.values(readings).reduce((sum, count) => sum + count, 0));
    await log.readNew();
    miscounted += Math.abs(readings.applied + readings.merged - (logged.total - loggedBefore));
  };
  const faults = createFaults({
    ...{ service, broker, wire, stateFolder, disk, dice },
    async whileDown() {
      await log.readNew();
      loggedBefore = logged.total;
    },
    async onStop(tookMs) {
      slowestStopMs = Math.max(slowestStopMs, tookMs);
      await checkCounters();
    },
  });
  const wrongForecasts = new Set<string>();
  let clients: Clients | undefined;
  try {
    await broker.start();
    await service.start();
    clients = await openClients({ port: broker.port, seed, streams, perSecond, reference });
    const { sender, newest } = clients;
    const compareForecasts = async () => {
      await untilSame(newest, reference.newest);
      for (const stream of differing(newest, reference.newest)) {
        wrongForecasts.add(stream);
        if (wrongForecasts.size > 3) continue;
        say(
          `the forecast of ${stream}: found ${newest.get(stream)}, expected ${reference.newest.get(stream)}`,
        );
      }
    };
    const hit = async (name: FaultName) => {
      await sleep(dice.int(100, 900));
      counts[name] = (counts[name] ?? 0) + 1;
      say(`${Math.round((performance.now() - startMs) / 1000)} s, ${sender.sent} messages: ${name}`);
      await faults[name]();
    };
    for (let kill = 0; kill < kills; kill++) {
      await hit(dice.chance(0.5) ? 'kill of the service' : 'kill of the service in a commit');
      if (dice.chance(0.6))
        await hit(dice.pick(disk === undefined ? otherFaults : [...otherFaults, 'full disk']));
    }
    await sender.finish([]);
    await compareForecasts();
    const lastHour = Math.max(...[...reference.newest.values()].map((payload) => hourOf(timeOf(payload))));
    await sender.finish(lastWords(streams, lastHour + 10));
    await compareForecasts();
  } finally {
    endCode = await service.end('SIGTERM');
    await clients?.close();
    await broker.end('SIGKILL');
    await wire.close();
  }
  if (endCode !== 0) throw new Error(`the service ended with exit code ${endCode}, expected 0`);
  await checkCounters();
  const wrongStates = findDifferences(
    await restoreMemory(stateFolder, { engine, latenessMs: lateness * hourMs }),
    reference.memory,
  );
  for (const stream of wrongStates.slice(0, 3)) say(`the state of ${stream} is wrong`);
  const seconds = (performance.now() - startMs) / 1000;
  const messages = clients.sender.sent;
  const { duplicate, late } = reference.counters.ended;
  return {
    ...{ seed, kills, faults: counts, hasDisk: disk !== undefined, streams, messages },
    perSecond: Math.round(messages / seconds),
    ...logged.compare(reference.applied),
    wrongStates: wrongStates.length,
    wrongForecasts: wrongForecasts.size,
    miscounted,
    duplicates: duplicate + late,
    slowestStopMs: Math.round(slowestStopMs),
    seconds: Math.round(seconds),
  };
}

/** What a service says at its end. */
interface Summary {
  readonly messages: number;
  /** By how they ended. */
  readonly readings: Readonly<Record<string, number>>;
}

interface ConfigOptions {
  readonly seed: number;
  readonly port: number;
  /** In periods. */
  readonly lateness: number;
  readonly dice: Dice;
}

/** Writes the model and the config beside each other. @returns the path of the config */
function writeConfig(folder: string, { seed, port, lateness, dice }: ConfigOptions): string {
  const model = createModel({
    ...{ seed, weights: 'int8', layers: 2, hidden: 8, features: 2, targets: [0, 1], steps: 3 },
    ...{ phases: 3, lags: [1, 2, 3], averages: [3, 21], mask: true, highway: 'all', swing: true },
  });
  writeFileSync(join(folder, 'model.pb'), writeModelFile(model));
  const path = join(folder, 'plant.yaml');
  const subscriptions = topics.map(
    (topic, k) => `  - { topic: "${topic}", features: { feature-${k}: ${featureKeys[k]} } }\n`,
  );
  const commitMs = dice.pick([100, 300, 1_000]);
  writeFileSync(
    path,
    `model: model.pb
broker: { url: mqtt://127.0.0.1:${port} }
${lateness > 0 ? `lateness: ${lateness}h\n` : ''}subscribe:
${subscriptions.join('')}state: { commit: ${commitMs}ms }
`,
  );
  return path;
}

interface ClientOptions {
  readonly port: number;
  readonly seed: number;
  readonly streams: number;
  readonly perSecond: number;
  readonly reference: Reference;
}

interface Clients {
  readonly newest: ReadonlyMap<string, string>;
  readonly sender: Sender;
  close(): Promise<void>;
}

/** The sensors, and somebody who reads the forecasts: past the wire, so that they lose nothing. */
async function openClients({ port, seed, streams, perSecond, reference }: ClientOptions): Promise<Clients> {
  const broker = { url: `mqtt://127.0.0.1:${port}`, backOff: { firstMs: 50, maxMs: 200 } };
  const newest = new Map<string, string>();
  const pattern = parseTopicPattern('cellstream/{stream}/forecast');
  const reader = createLink({
    ...broker,
    clientId: 'chaos-reader',
    filters: [{ topic: pattern.filter, qos: 1 }],
  });
  reader.onMessage(({ topic, payload }) => {
    const match = pattern.match(topic);
    if (match) newest.set(match.stream, Buffer.from(payload).toString());
  });
  await reader.open();
  const sensors = createLink(broker);
  await sensors.open();
  const sender = createSender({
    ...{ link: sensors, messages: createSensors(seed, streams), perSecond, onMessage: reference.take },
    topicOf: ({ stream, feature }) => topics[feature].replace('{stream}', stream),
  });
  const close = async () => {
    await Promise.all([reader.close(), sensors.close()]);
  };
  return { newest, sender, close };
}

function differing(found: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>): string[] {
  const streams = new Set([...found.keys(), ...expected.keys()]);
  return [...streams].filter((stream) => found.get(stream) !== expected.get(stream));
}

/** Gives up when nothing has changed for a long time. */
async function untilSame(
  found: ReadonlyMap<string, string>,
  expected: ReadonlyMap<string, string>,
): Promise<void> {
  let least = Number.POSITIVE_INFINITY;
  let changedMs = performance.now();
  while (least > 0 && performance.now() - changedMs < silenceMs) {
    const count = differing(found, expected).length;
    if (count !== least) changedMs = performance.now();
    least = count;
    await sleep(100);
  }
}

function timeOf(payload: string): number {
  return Date.parse((JSON.parse(payload) as { time: string }).time);
}
