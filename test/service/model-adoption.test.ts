import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { createLog } from '../../src/service/log.ts';
import { createServing, type Lane, openLane, type Serving } from '../../src/service/serving.ts';
import { openStateKeeper, type StateKeeper } from '../../src/service/state-keeper.ts';
import { listNumbers, pathOf } from '../../src/state/state-files.ts';
import { createCounters } from '../../src/stream/counters.ts';
import type { ReadingBatch } from '../../src/stream/decode.ts';
import { step } from '../../src/stream/pipeline.ts';
import { createDice } from '../fixtures/random-model.ts';
import { copyFolder, makeFolder } from '../state/folder.ts';
import { createTinyEngine, hourMs, startMs } from '../stream/tiny-engine.ts';

const streams = Array.from({ length: 500 }, (_, i) => `s${i}`);
const old = createTinyEngine();
const [layer] = old.model.layers;
const bias = { ...layer.bias, values: layer.bias.values.map((value) => -value) } as typeof layer.bias;
const young: Engine = { ...createTinyEngine({ layers: [{ ...layer, bias }] }), id: 'cd'.repeat(32) };
const log = createLog('adoption', { quiet: true });

function open(engine: Engine): Serving {
  return createServing(engine, { maxStreams: 1000, charted: false });
}

function laneOf({ memory, monitor }: Serving, keeper?: StateKeeper): Lane {
  const observer = keeper && {
    before: keeper.before,
    taken: keeper.taken,
    repeated() {},
  };
  return openLane(step(memory, { counters: createCounters(), observer }), {
    next: (answers) => monitor.noteOutcome(answers, 0),
    error(defect) {
      throw defect;
    },
  });
}

function batchAt(hour: number, from: number, to: number): ReadingBatch {
  const timeMs = startMs + hour * hourMs;
  return {
    origin: 'live',
    readings: streams.slice(from, to).flatMap((stream, i) => [
      { stream, timeMs, feature: 0, value: Math.fround(50 + Math.sin(hour + i)) },
      { stream, timeMs, feature: 1, value: Math.fround(1000 + Math.cos(hour * i)) },
    ]),
  };
}

/** The bytes of all slots. */
function statesOf({ memory: { arena } }: Serving): Buffer {
  return Buffer.concat(
    streams.map((stream) => {
      const { buffer, byteOffset, byteLength } = arena.save(arena.open(stream)).floats;
      return Buffer.from(new Uint8Array(buffer, byteOffset, byteLength));
    }),
  );
}

/** What a start with this model finds. */
async function recoverStates(folder: string, engine: Engine): Promise<Buffer> {
  const serving = open(engine);
  const keeper = await openStateKeeper({ folder, ...serving, log });
  const lane = laneOf(serving);
  for (const readings of keeper.history) lane.push({ origin: 'history', readings });
  await keeper.close();
  return statesOf(serving);
}

async function recoverCopy(folder: string, engine: Engine): Promise<Buffer> {
  return await recoverStates(await copyFolder(folder), engine);
}

test('a folder that goes over to another model has the whole states of both, wherever snapshots are under way', async () => {
  const dice = createDice(7);
  for (let round = 0; round < 10; round++) {
    const folder = await makeFolder();
    // the third is the old one as if it had gone on
    const [first, second, reference] = [open(old), open(young), open(old)];
    const keeper = await openStateKeeper({ folder, ...first, log, betweenSnapshots: 1 });
    let [kept, shadow] = [laneOf(first, keeper), laneOf(second)];
    const other = laneOf(reference);
    const swapAt = dice.int(3, 50);
    const isOpening = round % 2 === 0;
    let adopted: Promise<void> | undefined;
    let pushes = 0;
    for (let hour = 0; hour < 12; hour++) {
      for (let from = 0; from < streams.length; from += 100) {
        const swapsNow = pushes++ === swapAt;
        for (const lane of [kept, shadow, other]) lane.push(batchAt(hour, from, from + 100));
        // the first commit takes the first snapshot: its file is just being opened
        if (swapsNow && isOpening) await keeper.commit();
        if (swapsNow) {
          kept.stop();
          shadow.stop();
          kept = laneOf(second, keeper);
          shadow = laneOf(open(old));
          adopted = keeper.adopt(second, () => {});
        }
        if (!isOpening && dice.chance(0.3)) void keeper.commit();
        if (dice.chance(0.5)) await new Promise(setImmediate);
      }
    }
    await adopted;
    await keeper.close();
    expect((await recoverStates(folder, young)).equals(statesOf(second))).toBe(true);
    expect((await recoverStates(folder, old)).equals(statesOf(reference))).toBe(true);
  }
});

/** A service whose states began with what is in no log. */
async function openWarmed(folder: string, engine: Engine, hour: number) {
  const serving = open(engine);
  const keeper = await openStateKeeper({ folder, ...serving, log, betweenSnapshots: 1 });
  const lane = laneOf(serving, keeper);
  for (const readings of keeper.history) lane.push({ origin: 'history', readings });
  lane.push({ ...batchAt(hour, 0, streams.length), origin: 'history' });
  await keeper.keepAll();
  return { serving, keeper, lane };
}

test('a model that a start still finds keeps its snapshot, however many another has taken', async () => {
  const folder = await makeFolder();
  const { serving, keeper, lane } = await openWarmed(folder, old, 0);
  const second = open(young);
  // it goes on as if there were no other
  const reference = laneOf(serving);
  await expect(
    keeper.adopt(second, () => {
      throw new Error('no room for the record');
    }),
  ).rejects.toThrow('no room');
  lane.stop();
  const other = laneOf(second, keeper);
  const taken = async () => Math.max(...(await listNumbers(folder, 'snapshot')));
  const before = await taken();
  for (let hour = 1; (await taken()) < before + 3; hour++) {
    other.push(batchAt(hour, 0, streams.length));
    reference.push(batchAt(hour, 0, streams.length));
    await keeper.commit();
    await new Promise(setImmediate);
  }
  expect((await recoverCopy(folder, old)).equals(statesOf(serving))).toBe(true);
  await keeper.adopt(second, () => {});
  for (let snapshot = 0; snapshot < 2; snapshot++) await keeper.keepAll();
  other.stop();
  await keeper.close();
  // nothing needs it any more
  expect(await listNumbers(folder, 'snapshot')).toHaveLength(2);
});

test('a snapshot of another model takes the place of none that stands in for a damaged one', async () => {
  const folder = await makeFolder();
  for (const [hour, engine] of [old, young].entries()) {
    await (await openWarmed(folder, engine, hour)).keeper.close();
  }
  const { serving, keeper, lane } = await openWarmed(folder, old, 0);
  lane.push(batchAt(2, 0, streams.length));
  await keeper.close();
  const newest = (await listNumbers(folder, 'snapshot')).at(-1) as number;
  await writeFile(pathOf(folder, 'snapshot', newest), 'rubbish');
  expect((await recoverCopy(folder, old)).equals(statesOf(serving))).toBe(true);
});

test('what the disk lacks is on it, and acknowledged, when a start finds the model that has it, and not before', async () => {
  const folder = await makeFolder();
  const [first, second] = [open(old), open(young)];
  const keeper = await openStateKeeper({ folder, ...first, log });
  const lanes = [laneOf(first, keeper), laneOf(second)];
  const push = (hour: number) => {
    for (const lane of lanes) lane.push(batchAt(hour, 0, streams.length));
  };
  push(0);
  await keeper.commit();
  const committed = statesOf(first);
  push(1);
  // a disk that takes nothing, for more readings than wait in memory
  const obstacles = Array.from({ length: 20 }, (_, number) => `${pathOf(folder, 'snapshot', number)}.new`);
  for (const path of obstacles) await mkdir(path);
  await expect(keeper.keepAll()).rejects.toThrow('EISDIR');
  for (const lane of lanes.splice(0, 2, laneOf(second, keeper))) lane.stop();
  await expect(keeper.adopt(second, () => {})).rejects.toThrow('EISDIR');
  for (const path of obstacles) await rmdir(path);
  push(2);
  // all that it would fill is of no use to a start with the old model
  await expect(keeper.commit()).rejects.toThrow('the states of the new model have to be on disk first');
  const noRecord = () => {
    throw new Error('no record');
  };
  await expect(keeper.adopt(second, noRecord)).rejects.toThrow('no record');
  push(3);
  await expect(keeper.commit()).rejects.toThrow('have to be on disk first');
  expect((await recoverCopy(folder, old)).equals(committed)).toBe(true);
  await keeper.adopt(second, () => {});
  expect((await recoverCopy(folder, young)).equals(statesOf(second))).toBe(true);
  push(4);
  await keeper.commit();
  await keeper.close();
  expect((await recoverStates(folder, young)).equals(statesOf(second))).toBe(true);
});
