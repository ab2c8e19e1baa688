import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDeliveryMemory, type DeliveryMemory } from '../../src/service/delivery-memory.ts';
import { createLog } from '../../src/service/log.ts';
import { openStateKeeper } from '../../src/service/state-keeper.ts';
import { withStoredStates } from '../../src/service/stored-states.ts';
import { fileFormat } from '../../src/state/file-header.ts';
import { recover } from '../../src/state/recovery.ts';
import { listNumbers } from '../../src/state/state-files.ts';
import type { Message } from '../../src/stream/payload.ts';
import { createDice } from '../fixtures/random-model.ts';
import { copyFolder, makeFolder } from '../state/folder.ts';
import { createTinyEngine } from '../stream/tiny-engine.ts';
import { createRoadMemory } from './kept-road.ts';

const engine = createTinyEngine();
const log = createLog('test', { quiet: true });

const message = (packetId: number, dup = false): Message => ({
  ...{ route: 0, stream: 's', payload: Buffer.from('21.5'), retained: false, arrivedMs: 0, packetId },
  ...(dup && { again: 'perhaps' }),
});

/** Of the ids up to `last`, those that a service knows that starts on the folder. */
async function knownAfterStart(folder: string, last: number): Promise<number[]> {
  const memory = createDeliveryMemory();
  const { batches } = await recover(folder, {
    header: { format: fileFormat, model: engine.id, features: engine.model.input.names },
    onDamage: (damage) => expect(damage).toMatch(/no whole record/),
    onMarks: memory.restore,
  });
  for (const _ of batches);
  return knownOf(memory, last);
}

function knownOf(memory: DeliveryMemory, last: number): number[] {
  memory.begin(true);
  const ids = Array.from({ length: last }, (_, i) => i + 1);
  return ids.filter((id) => memory.recognize(message(id, true), false).again === 'known');
}

const snapshotsOf = (folder: string) =>
  String(readdirSync(folder).filter((name) => /^snapshot.*bin$/.test(name)));
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

async function openKeeper(folder: string) {
  const deliveries = createDeliveryMemory();
  const keeper = await openStateKeeper({
    ...{ folder, engine, log, deliveries, betweenSnapshots: 1 },
    ...createRoadMemory(engine),
  });
  for (const _ of keeper.history);
  deliveries.begin(true);
  return { deliveries, keeper };
}

test('a start knows all that was committed, wherever a snapshot was when the service was killed', async () => {
  const folder = await makeFolder();
  const { deliveries, keeper } = await openKeeper(folder);
  const dice = createDice(4);
  let id = 0;
  for (let commit = 0; commit < 150; commit++) {
    for (let n = dice.int(1, 4); n > 0; n--) {
      deliveries.recognize(message(++id), false);
      keeper.taken({ stream: 's', feature: 0, timeMs: 1e12 + id, value: id });
    }
    await keeper.commit();
    // now and then as soon as a snapshot counts, where one is under way
    const before = snapshotsOf(folder);
    for (let turns = dice.pick([0, 1, 3, 500]); turns > 0; turns--) {
      await new Promise(setImmediate);
      if (snapshotsOf(folder) !== before) break;
    }
    deliveries.recognize(message(id + 1), false);
    keeper.taken({ stream: 's', feature: 0, timeMs: 1e12 + id + 0.5, value: 0 });
    // the last one perhaps, since a snapshot commits too
    expect((await knownAfterStart(await copyFolder(folder), id + 1)).slice(0, id)).toEqual(upTo(id));
    id++;
  }
  expect((await listNumbers(folder, 'snapshot'))[0]).toBeGreaterThan(5);
  await keeper.close();
});

test('so does a start after a snapshot that fills a hole of the log, with nothing behind it', async () => {
  const folder = await makeFolder();
  const { deliveries, keeper } = await openKeeper(folder);
  deliveries.recognize(message(1), false);
  keeper.taken({ stream: 's', feature: 0, timeMs: 1e12, value: 1 });
  await keeper.commit();
  deliveries.recognize(message(2), false);
  keeper.taken({ stream: 's', feature: 0, timeMs: 2e12, value: 2 });
  await keeper.keepAll();
  expect(await knownAfterStart(await copyFolder(folder), 3)).toEqual([1, 2]);
  await keeper.close();
});

test.each(['import', 'reset'] as const)('what an operator does (%s) keeps them', async (action) => {
  const folder = await makeFolder();
  const { deliveries, keeper } = await openKeeper(folder);
  deliveries.recognize(message(1), false);
  keeper.taken({ stream: 's', feature: 0, timeMs: 1e12, value: 1 });
  await keeper.close();
  const file = join(await makeFolder(), 'some.state');
  await withStoredStates(
    { folder, loadEngine: async () => engine, maxStreams: 10, onDamage: (damage) => expect(damage).toBe('') },
    async (states) => {
      await states.write(['s'], file);
      if (action === 'reset') await states.forget(['s']);
      else await states.read(readFileSync(file), file);
    },
  );
  expect(await listNumbers(folder, 'snapshot')).toHaveLength(action === 'import' ? 1 : 0);
  expect(await knownAfterStart(folder, 2)).toEqual([1]);
  const again = await openKeeper(folder);
  expect(knownOf(again.deliveries, 2)).toEqual([1]);
  await again.keeper.close();
});
