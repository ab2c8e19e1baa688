import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../../src/engine/engine.ts';
import { writeModelFile } from '../../src/model/format.ts';
import { type StoredStates, withStoredStates } from '../../src/service/stored-states.ts';
import { listNumbers, pathOf } from '../../src/state/state-files.ts';
import { createModel, hourMs } from '../fixtures/random-model.ts';
import { makeFolder } from '../state/folder.ts';
import { openKeptRoad } from './kept-road.ts';

const load = (seed: number) => loadModel(writeModelFile(createModel({ seed, weights: 'int8', features: 1 })));
const engine = await load(1);
const other = await load(2);

const names = ['a', 'b', 'c'];

/** A folder that a service with these streams has left. */
async function leaveFolder(streams: readonly string[] = names): Promise<string> {
  const folder = await makeFolder();
  const road = await openKeptRoad(folder, engine);
  for (let hour = 400_000; hour < 400_050; hour++)
    road.push(streams.map((stream) => ({ stream, feature: 0, timeMs: hour * hourMs, value: hour % 7 })));
  await road.keeper.close();
  return folder;
}

function withStates<T>(
  folder: string,
  work: (states: StoredStates) => Promise<T>,
  maxStreams = 10,
): Promise<T> {
  return withStoredStates(
    { folder, loadEngine: async () => engine, maxStreams, onDamage: (damage) => expect(damage).toBe('') },
    work,
  );
}

/** What a start finds, to the bit. */
async function openStates(folder: string) {
  const { memory, keeper } = await openKeptRoad(folder, engine);
  await keeper.close();
  return [...memory.table.streams.values()].map(({ name, aligner }) => {
    const { floats, lastSlot, age } = memory.arena.save(memory.arena.open(name));
    return { name, lastSlot, age, floats: [...floats], aligner: aligner.save() };
  });
}

/** The streams that a start with a model finds. */
async function streamsOf(folder: string, model = engine): Promise<string[]> {
  const { memory, keeper } = await openKeptRoad(folder, model);
  await keeper.close();
  return [...memory.table.streams.keys()].sort();
}

describe('streams that were reset', () => {
  test('begin anew, also with a model that warms up on the log', async () => {
    const folder = await leaveFolder();
    await withStates(folder, (states) => states.forget(['b', 'c']));
    expect(await streamsOf(folder)).toEqual(['a']);
    expect(await streamsOf(folder, other)).toEqual(['a']);
  });

  test('come back from no older snapshot, and the others are what they were', async () => {
    const folder = await leaveFolder();
    for (let start = 0; start < 2; start++) {
      for (const model of [other, engine]) {
        const { keeper } = await openKeptRoad(folder, model);
        await keeper.keepAll();
        await keeper.close();
      }
    }
    const expected = (await openStates(folder)).filter(({ name }) => name === 'a');
    await withStates(folder, (states) => states.forget(['b', 'c']));
    expect(await openStates(folder)).toEqual(expected);
    expect(await streamsOf(folder, other)).toEqual(['a']);
    const newest = (await listNumbers(folder, 'snapshot')).at(-1) as number;
    await writeFile(pathOf(folder, 'snapshot', newest), 'rubbish');
    expect(await openStates(folder)).toEqual(expected);
  });
});

test('a reset that the disk ends half way can be finished', async () => {
  const folder = await leaveFolder();
  for (let start = 0; start < 2; start++) {
    const { keeper } = await openKeptRoad(folder, engine);
    await keeper.keepAll();
    await keeper.close();
  }
  await withStates(folder, async (states) => {
    const newest = (await listNumbers(folder, 'snapshot')).at(-1) as number;
    const obstacle = `${pathOf(folder, 'snapshot', newest)}.new`;
    await mkdir(obstacle);
    await expect(states.forget(['b'])).rejects.toThrow('EISDIR');
    await rmdir(obstacle);
  });
  expect(await streamsOf(folder)).toEqual(names);
  expect(await streamsOf(folder, other)).toEqual(['a', 'c']);
  await withStates(folder, (states) => states.forget(['b']));
  expect(await streamsOf(folder)).toEqual(['a', 'c']);
});

describe('streams of another folder', () => {
  const exported = async (streams: readonly string[]) => {
    const file = join(await makeFolder(), 'some.state');
    await withStates(await leaveFolder(), (states) => states.write(streams, file));
    return { file, bytes: await readFile(file) };
  };

  test('take the place of those of their name, in the log too', async () => {
    const folder = await leaveFolder(['b', 'c']);
    const { file, bytes } = await exported(['a', 'b']);
    await withStates(folder, async (states) => {
      expect(await states.read(bytes, file)).toEqual(['a', 'b']);
    });
    expect(await streamsOf(folder)).toEqual(names);
    // its own log has nothing of what the others come from
    expect(await streamsOf(folder, other)).toEqual(['c']);
  });

  test('are refused where there would be more than the service may have', async () => {
    const folder = await leaveFolder(['b', 'c']);
    const { file, bytes } = await exported(['a', 'b']);
    const reading = withStates(folder, (states) => states.read(bytes, file), 2);
    await expect(reading).rejects.toThrow(/^3 streams with those of .*some\.state, expected at most 2/);
    expect(await streamsOf(folder, other)).toEqual(['b', 'c']);
    expect(await withStates(folder, (states) => states.read(bytes, file, ['b']), 2)).toEqual(['b']);
  });
});
