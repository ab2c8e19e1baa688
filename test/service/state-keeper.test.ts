import { appendFile, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../../src/engine/engine.ts';
import { writeModelFile } from '../../src/model/format.ts';
import { restoreStream } from '../../src/service/stream-state.ts';
import { readFrames } from '../../src/state/frames.ts';
import { createReadingsReader } from '../../src/state/readings-record.ts';
import { readSnapshot } from '../../src/state/snapshot.ts';
import { listNumbers, pathOf } from '../../src/state/state-files.ts';
import { findDifferences } from '../chaos/reference.ts';
import { createDice, createModel, type Dice, hourMs } from '../fixtures/random-model.ts';
import { copyFolder, makeFolder } from '../state/folder.ts';
import { createRoadMemory, openKeptRoad, openTestRoad, type TestReading } from './kept-road.ts';

const engine = await loadModel(
  writeModelFile(createModel({ weights: 'int8', phases: 2, lags: [1, 2], averages: [3], features: 2 })),
);
const other = await loadModel(writeModelFile(createModel({ seed: 9, weights: 'int8', features: 2 })));
const streams = 700;

/** Readings of many streams: in order, twice, late and missing. */
function createBatches(dice: Dice): (count: number) => TestReading[] {
  const hours = new Int32Array(streams).fill(400_000);
  return (count) =>
    Array.from({ length: count }, () => {
      const stream = dice.int(0, streams - 1);
      if (dice.chance(0.6)) hours[stream] += dice.pick([1, 1, 1, 2, 9]);
      const hour = hours[stream] - (dice.chance(0.1) ? dice.int(0, 20) : 0);
      const value = dice.chance(0.05) ? Number.NaN : Math.fround(20 + 5 * dice.next());
      return { stream: `s${stream}`, feature: dice.int(0, 1), timeMs: hour * hourMs, value };
    });
}

/** The states that the log before a file leads to. */
async function replay(folder: string, before: number, latenessMs: number) {
  const road = openTestRoad(engine, { latenessMs });
  for (const number of await listNumbers(folder, 'log')) {
    if (number >= before) continue;
    const read = createReadingsReader();
    const { payloads } = readFrames(await readFile(pathOf(folder, 'log', number)));
    for (const record of payloads.slice(1)) road.push(read(record));
  }
  return road.memory;
}

describe('the states of a road', () => {
  test.each([0, 2 * hourMs])(
    'in a snapshot are those of its moment while streams go on changing, with lateness %d',
    async (latenessMs) => {
      const folder = await makeFolder();
      const dice = createDice(5);
      const nextBatch = createBatches(dice);
      const road = await openKeptRoad(folder, engine, { latenessMs });
      while ((await listNumbers(folder, 'snapshot')).length < 1) {
        for (let i = 0; i < 20; i++) {
          road.push(nextBatch(dice.int(1, 256)));
          if (dice.chance(0.3)) await new Promise(setImmediate);
        }
        await road.keeper.commit();
      }
      await road.keeper.close();
      for (const number of await listNumbers(folder, 'snapshot')) {
        const { states } = await readSnapshot(pathOf(folder, 'snapshot', number));
        const kept = createRoadMemory(engine, { latenessMs });
        for (const state of states) restoreStream(state, kept, engine.model, true);
        expect(kept.memory.table.streams.size).toBeGreaterThan(streams / 2);
        expect(findDifferences(kept.memory, await replay(folder, number, latenessMs))).toEqual([]);
      }
      const again = await openKeptRoad(folder, engine, { latenessMs });
      expect(findDifferences(again.memory, road.memory)).toEqual([]);
      for (const name of road.monitor.names()) {
        const [before, found] = [road.monitor.find(name), again.monitor.find(name)];
        expect([found?.answer, found?.answeredMs], name).toEqual([before?.answer, before?.answeredMs]);
      }
      await again.keeper.close();
      expect(again.complaints).toEqual([]);
    },
  );

  test('come back after any number of starts, also from a damaged snapshot and a torn log', async () => {
    const folder = await makeFolder();
    const dice = createDice(11);
    const nextBatch = createBatches(dice);
    const reference = openTestRoad(engine);
    const damage: string[] = [];
    for (let start = 0; start < 4; start++) {
      const road = await openKeptRoad(folder, engine);
      damage.push(...road.complaints);
      expect(findDifferences(road.memory, reference.memory)).toEqual([]);
      for (let i = 0; i < 20 || (await listNumbers(folder, 'snapshot')).length === 0; i++) {
        const batch = nextBatch(1_000);
        road.push(batch);
        reference.push(batch);
        await road.keeper.commit();
      }
      await road.keeper.close();
      const [snapshot] = (await listNumbers(folder, 'snapshot')).slice(-1);
      const [log] = (await listNumbers(folder, 'log')).slice(-1);
      if (start === 1) await writeFile(pathOf(folder, 'snapshot', snapshot), 'rubbish');
      if (start === 2) await appendFile(pathOf(folder, 'log', log), Buffer.alloc(700));
    }
    expect(damage).toEqual([
      expect.stringContaining('it is set aside, and an older one is taken'),
      expect.stringContaining('700 bytes at its end are no whole record and are cut off'),
    ]);
  });

  test('do not go over to another model, which warms up on what was read', async () => {
    const folder = await makeFolder();
    const nextBatch = createBatches(createDice(3));
    const first = await openKeptRoad(folder, engine);
    const reference = openTestRoad(other);
    while ((await listNumbers(folder, 'snapshot')).length < 1) {
      const batch = nextBatch(5_000);
      first.push(batch);
      reference.push(batch);
      await first.keeper.commit();
    }
    await first.keeper.close();
    const second = await openKeptRoad(folder, other);
    expect(findDifferences(second.memory, reference.memory)).toEqual([]);
    await second.keeper.close();
    // and back again
    const third = await openKeptRoad(folder, engine);
    expect(findDifferences(third.memory, first.memory)).toEqual([]);
    await third.keeper.close();
  });

  test('wait in memory for a folder that takes nothing, and are all there when it does again', async () => {
    const folder = await makeFolder();
    const state = `${folder}/state`;
    await mkdir(state);
    const nextBatch = createBatches(createDice(7));
    const road = await openKeptRoad(state, engine);
    await rename(state, `${folder}/away`);
    road.push(nextBatch(500));
    await expect(road.keeper.commit()).rejects.toThrow('ENOENT');
    const { uncommitted } = road.keeper;
    expect(uncommitted).toBe(road.counters.ended.applied);
    await rename(`${folder}/away`, state);
    road.push(nextBatch(500));
    await road.keeper.close();
    const again = await openKeptRoad(state, engine);
    expect(findDifferences(again.memory, road.memory)).toEqual([]);
    await again.keeper.close();
  });

  test('that no log has are kept by a snapshot, and what is read meanwhile behind it', async () => {
    const folder = await makeFolder();
    const nextBatch = createBatches(createDice(6));
    const road = await openKeptRoad(folder, engine);
    road.push(nextBatch(2_000));
    const kept = road.keeper.keepAll();
    road.push(nextBatch(2_000));
    const committed = road.keeper.commit();
    road.push(nextBatch(2_000));
    await Promise.all([kept, committed, road.keeper.commit()]);
    expect(road.keeper.uncommitted).toBe(0);
    const copy = await copyFolder(folder);
    await road.keeper.close();
    const again = await openKeptRoad(copy, engine);
    expect(findDifferences(again.memory, road.memory)).toEqual([]);
    await again.keeper.close();
    expect(await listNumbers(folder, 'snapshot')).toHaveLength(1);
  });

  test('that no log has leave nothing of what came behind them on disk before their snapshot is', async () => {
    const folder = await makeFolder();
    const nextBatch = createBatches(createDice(6));
    const road = await openKeptRoad(folder, engine);
    road.push(nextBatch(500));
    await road.keeper.commit();
    const reached = await openKeptRoad(await copyFolder(folder), engine);
    road.push(nextBatch(500));
    // its snapshot is written and cannot take its place
    await mkdir(`${pathOf(folder, 'snapshot', 3)}/full`, { recursive: true });
    let failure: Error | undefined;
    road.keeper.keepAll().catch((error: Error) => {
      failure = error;
    });
    while (failure === undefined) {
      road.push(nextBatch(20));
      await new Promise(setImmediate);
    }
    expect(failure.message).toMatch(/rename/);
    expect(road.keeper.isBehind).toBe(true);
    const killed = await openKeptRoad(await copyFolder(folder), engine);
    expect(findDifferences(killed.memory, reached.memory)).toEqual([]);
    // the next one can
    await road.keeper.commit();
    const again = await openKeptRoad(await copyFolder(folder), engine);
    expect(findDifferences(again.memory, road.memory)).toEqual([]);
    for (const { keeper } of [road, reached, killed, again]) await keeper.close();
  });

  test('are safe though an old file cannot be removed', async () => {
    const folder = await makeFolder();
    const road = await openKeptRoad(folder, engine);
    road.push(createBatches(createDice(6))(500));
    await road.keeper.keepAll();
    // no file
    await mkdir(`${pathOf(folder, 'snapshot', 1)}/full`, { recursive: true });
    await road.keeper.keepAll();
    expect(road.keeper.isBehind).toBe(false);
    expect(road.complaints).toEqual(['states that are no longer needed were not removed']);
    await road.keeper.close();
  });

  test('leave nothing half written behind, whatever a kill has left', async () => {
    const folder = await makeFolder();
    const nextBatch = createBatches(createDice(8));
    await writeFile(`${pathOf(folder, 'snapshot', 7)}.new`, 'half');
    const road = await openKeptRoad(folder, engine);
    road.push(nextBatch(100));
    await road.keeper.close();
    expect((await readdir(folder)).sort()).toEqual(['log-00000001.bin']);
  });
});
