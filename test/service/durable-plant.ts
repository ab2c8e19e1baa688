import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { readFrames } from '../../src/state/frames.ts';
import { createReadingsReader, type LoggedReading } from '../../src/state/readings-record.ts';
import { listNumbers, pathOf } from '../../src/state/state-files.ts';
import { layWire, type Wire } from '../chaos/wire.ts';
import { openLink, type TestLink } from '../mqtt/links.ts';
import { type Mosquitto, startMosquitto } from '../mqtt/mosquitto.ts';
import { findPort } from '../mqtt/ports.ts';
import { until } from '../mqtt/until.ts';
import { writeTinyModel } from '../stream/tiny-engine.ts';
import { type RunProcess, startRun } from './run-process.ts';
import { payloadAt } from './service-cases.ts';

/** Numbers in a message. */
export const perMessage = 2;

export interface DurablePlant {
  readonly broker: Mosquitto;
  /** Between the service and the broker. */
  readonly wire: Wire;
  readonly stateFolder: string;
  /** What the service has published. */
  readonly forecasts: TestLink;
  /** @param state what its line of the config says besides the folder */
  start(state?: string): Promise<RunProcess>;
  /** Publishes at QoS 1, a message an hour of each of 50 streams in turn; resolves when the broker has them. */
  publish(from: number, to: number, perSecond?: number): Promise<void>;
}

/** That sensors send for. */
export const streams = 50;

export interface PlantOptions {
  /** Of the broker. */
  readonly lines?: readonly string[];
  readonly protocol?: 'auto' | '3.1.1';
  readonly stateFolder?: string;
  /** Bytes of its file. */
  readonly model?: Uint8Array;
  /** Lines of the config that say what is subscribed to, and how it is read. */
  readonly reading?: string;
}

/** A broker, a service that keeps its states, and sensors. */
export async function openDurablePlant(options: PlantOptions = {}): Promise<DurablePlant> {
  const { lines = [], protocol = 'auto', model = writeTinyModel() } = options;
  const { reading = 'subscribe: [{ topic: "sensors/{stream}/weather" }]' } = options;
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-durable-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const stateFolder = options.stateFolder ?? join(folder, 'state');
  mkdirSync(stateFolder, { recursive: true });
  writeFileSync(join(folder, 'tiny.pb'), model);
  const broker = await startMosquitto({ lines });
  const wire = await layWire(broker.port);
  onTestFinished(() => wire.close());
  const forecasts = await openLink({
    ...{ url: broker.url, clientId: 'reader', filters: [{ topic: 'cellstream/+/+', qos: 1 }] },
  });
  const sensors = await openLink({ url: broker.url });
  return {
    ...{ broker, wire, stateFolder, forecasts },
    start: async (state = 'commit: 50ms') =>
      startRun(
        folder,
        `model: tiny.pb
broker: { url: mqtt://127.0.0.1:${wire.port}, protocol: ${protocol} }
${reading}
state: { dir: ${stateFolder}, ${state} }
dashboard: { port: ${await findPort()} }
`,
      ),
    async publish(from, to, perSecond = Number.POSITIVE_INFINITY) {
      const startMs = performance.now();
      const acknowledged: Promise<void>[] = [];
      for (let i = from; i < to; i++) {
        const dueMs = startMs + ((i - from) * 1000) / perSecond;
        if (performance.now() < dueMs - 5) await sleep(10);
        acknowledged.push(send(sensors, i));
        // no more under way than there are ids
        await acknowledged[i - from - 10_000];
      }
      await Promise.all(acknowledged);
    },
  };
}

function send({ link }: TestLink, i: number): Promise<void> {
  const topic = `sensors/s${i % streams}/weather`;
  return new Promise((resolve, reject) => {
    link.publish(topic, payloadAt(Math.floor(i / streams)), { qos: 1, retain: false }, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}

export function totalOf({ readings }: { readonly readings: Readonly<Record<string, number>> }): number {
  return Object.values(readings).reduce((sum, count) => sum + count, 0);
}

/** Waits until its page shows that many readings that changed a state, whatever came again meanwhile. */
export function untilApplied(run: RunProcess, count: number): Promise<void> {
  return until(async () => (await run.view()).overview.readings.applied >= count, 60_000);
}

/** Waits until its page shows that many readings. */
export function untilCounted(run: RunProcess, count: number): Promise<void> {
  return until(async () => totalOf((await run.view()).overview) >= count, 60_000);
}

/** All readings that the log of a folder has. */
export async function readLog(folder: string): Promise<LoggedReading[]> {
  const readings: LoggedReading[] = [];
  for (const number of await listNumbers(folder, 'log')) {
    const read = createReadingsReader();
    const { payloads } = readFrames(readFileSync(pathOf(folder, 'log', number)));
    for (const record of payloads.slice(1)) readings.push(...read(record));
  }
  return readings;
}
