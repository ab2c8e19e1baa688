import { copyFileSync, mkdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadModel } from '../src/engine/engine.ts';
import type { Model } from '../src/model/model.ts';
import { createLog } from '../src/service/log.ts';
import { createServing, openLane, type Serving } from '../src/service/serving.ts';
import { openStateKeeper, type StateKeeper } from '../src/service/state-keeper.ts';
import { listNumbers, pathOf } from '../src/state/state-files.ts';
import { createCounters } from '../src/stream/counters.ts';
import type { Reading } from '../src/stream/decode.ts';
import { step } from '../src/stream/pipeline.ts';
import { createDice } from '../test/fixtures/random-model.ts';

/** What a service has left on disk, and what it took. */
export interface Filled {
  readonly snapshotBytes: number;
  /** From its begin until it is safe, with nothing else to do. */
  readonly snapshotMs: number;
  readonly logBytes: number;
  /** That the log behind the snapshot has. */
  readonly readings: number;
}

/** Messages after which a service commits, however short the interval. */
const COMMIT = 4096;
/** More would come to the end of no calendar, but of patience. */
const MOST_FRAMES = 10_000;

/** Fills a folder as a service with that many streams does: all of them warm, a finished snapshot, and behind it the longest
 * log that leaves no new one due. */
export async function fillFolder(folder: string, modelBytes: Uint8Array, streams: number): Promise<Filled> {
  mkdirSync(folder, { recursive: true });
  const engine = await loadModel(modelBytes);
  const serving = createServing(engine, { maxStreams: streams, charted: false });
  const keeper = await openStateKeeper({ folder, log: createLog('bench', { quiet: true }), ...serving });
  const push = openRoad(serving, keeper);
  const commits = readingsOf(engine.model, streams);
  const commitNext = async (): Promise<number> => {
    const readings: readonly Reading[] = commits.next().value;
    push(readings);
    await keeper.commit();
    return readings.length;
  };
  const last = nameOf(streams - 1);
  const isWarm = () => serving.monitor.find(last)?.health === 'warm';
  while (!isWarm()) await commitNext();
  // waits for the one that is perhaps under way
  await keeper.keepAll();
  const startMs = performance.now();
  await keeper.keepAll();
  const snapshotMs = performance.now() - startMs;
  const left = await fillLog(folder, commitNext);
  await keeper.close();
  return { snapshotMs, ...left };
}

/** Until the next commit would begin a new snapshot. */
async function fillLog(
  folder: string,
  commitNext: () => Promise<number>,
): Promise<Pick<Filled, 'snapshotBytes' | 'logBytes' | 'readings'>> {
  const number = await newestSnapshot(folder);
  const snapshotBytes = statSync(pathOf(folder, 'snapshot', number)).size;
  const most = Math.max(snapshotBytes, 1024 * 1024);
  let [readings, logBytes, grown] = [0, 0, 0];
  while (logBytes + grown <= most) {
    readings += await commitNext();
    const bytes = statSync(pathOf(folder, 'log', number)).size;
    // the first records are the longest: they have the names
    grown = bytes - logBytes;
    logBytes = bytes;
  }
  await sleep(100);
  if ((await newestSnapshot(folder)) !== number)
    throw new Error(`a snapshot was taken behind ${logBytes} bytes of log, expected none`);
  return { snapshotBytes, logBytes, readings };
}

/** What is left when all was quiet after the newest snapshot. */
export async function copySnapshot(from: string, to: string): Promise<void> {
  const path = pathOf(from, 'snapshot', await newestSnapshot(from));
  mkdirSync(to);
  copyFileSync(path, join(to, basename(path)));
}

async function newestSnapshot(folder: string): Promise<number> {
  return (await listNumbers(folder, 'snapshot')).at(-1) as number;
}

/** From readings to answers, as a service has it between its messages. */
function openRoad(
  { memory, monitor }: Serving,
  { before, taken }: StateKeeper,
): (readings: readonly Reading[]) => void {
  const observer = { before, taken, repeated() {} };
  const lane = openLane(step(memory, { counters: createCounters(), observer }), {
    next: (answers) => monitor.noteOutcome(answers, 0),
    error(defect) {
      throw defect;
    },
  });
  return (readings) => lane.push({ origin: 'live', readings });
}

const nameOf = (stream: number): string => `pump-${stream}`;

/** Every stream's frame of every period, in the parts that are committed together: noise about the mean of each feature. */
function* readingsOf({ input }: Model, streams: number): Generator<readonly Reading[], never> {
  const { features, periodMs, scalers } = input;
  const names = Array.from({ length: streams }, (_, stream) => nameOf(stream));
  const dice = createDice(1);
  const startMs = (Math.floor(Date.now() / periodMs) - MOST_FRAMES) * periodMs;
  let part: Reading[] = [];
  for (let frame = 0; frame < MOST_FRAMES; frame++) {
    const timeMs = startMs + frame * periodMs;
    for (const stream of names) {
      for (let feature = 0; feature < features; feature++) {
        const value = Math.fround(scalers[2 * feature] + scalers[2 * feature + 1] * (2 * dice.next() - 1));
        part.push({ stream, feature, timeMs, value });
      }
      if (part.length < COMMIT) continue;
      yield part;
      part = [];
    }
  }
  throw new Error(`the streams are not warm, or their log not full, after ${MOST_FRAMES} frames`);
}
