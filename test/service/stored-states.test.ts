import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../../src/engine/engine.ts';
import { writeModelFile } from '../../src/model/format.ts';
import { type StoredStates, withStoredStates } from '../../src/service/stored-states.ts';
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

/** The streams that a start with a model finds. */
async function streamsOf(folder: string, model = engine): Promise<string[]> {
  const { memory, keeper } = await openKeptRoad(folder, model);
  await keeper.close();
  return [...memory.table.streams.keys()].sort();
}

describe('streams that were reset', () => {
  test('begin anew, also with a model that warms up on the log', async () => {
    const folder = await leaveFolder();
    await withStates(folder, (states) => states.write(['a']));
    expect(await streamsOf(folder)).toEqual(['a']);
    expect(await streamsOf(folder, other)).toEqual(['a']);
  });
});

describe('streams of another folder', () => {
  test('take the place of those of their name, in the log too', async () => {
    const folder = await leaveFolder(['b', 'c']);
    const file = join(await makeFolder(), 'some.state');
    await withStates(await leaveFolder(), (states) => states.write(['a', 'b'], file));
    const bytes = await readFile(file);
    await withStates(folder, (states) => {
      expect(states.read(bytes, file)).toEqual(['a', 'b']);
      return states.write(states.memory.table.streams.keys());
    });
    expect(await streamsOf(folder)).toEqual(names);
    // its own log has nothing of what the others come from
    expect(await streamsOf(folder, other)).toEqual(['c']);
  });
});

test('more streams than the service may have are refused, and all of them can be seen', async () => {
  const folder = await leaveFolder();
  const writing = withStates(
    folder,
    async (states) => {
      expect([...states.memory.table.streams.keys()]).toEqual(names);
      return states.write(names);
    },
    2,
  );
  await expect(writing).rejects.toThrow('3 streams, expected at most the 2 of maxStreams');
  expect(await withStates(folder, (states) => states.write(['a', 'b']), 2)).toBe(2);
});
