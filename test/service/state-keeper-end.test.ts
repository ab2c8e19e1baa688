import { readdir } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { createSnapshot } from '../../src/state/snapshot.ts';
import { makeFolder } from '../state/folder.ts';
import { createTinyEngine, hourMs, startMs } from '../stream/tiny-engine.ts';
import { createRoadMemory, openKeptRoad } from './kept-road.ts';

vi.mock('../../src/state/snapshot.ts', async (original) => {
  const snapshots = await original<typeof import('../../src/state/snapshot.ts')>();
  return { ...snapshots, createSnapshot: vi.fn(snapshots.createSnapshot) };
});

const engine = createTinyEngine();

test('a commit that ends while the keeper closes begins no snapshot', async () => {
  const road = await openKeptRoad(await makeFolder(), engine);
  // more than a snapshot waits for
  for (let i = 0; i < 70_000; i++) {
    road.keeper.taken({ stream: 'a', feature: 0, timeMs: startMs + i * hourMs, value: i });
  }
  const committed = road.keeper.commit();
  const closed = road.keeper.close();
  await committed;
  expect(createSnapshot).not.toHaveBeenCalled();
  await closed;
});

test('a keeper that is closed takes the states of no other model', async () => {
  const folder = await makeFolder();
  const road = await openKeptRoad(folder, engine);
  await road.keeper.close();
  const adopted = road.keeper.adopt({ engine, ...createRoadMemory(engine) }, () => {});
  await expect(adopted).rejects.toThrow('the service stops');
  expect(await readdir(folder)).toEqual([]);
});
