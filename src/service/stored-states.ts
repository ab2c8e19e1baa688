import { randomBytes } from 'node:crypto';
import { NEVER } from 'rxjs';
import type { Engine } from '../engine/engine.ts';
import { forgetStreams } from '../state/forget.ts';
import { lockFolder } from '../state/lock.ts';
import { writeMarks } from '../state/marks.ts';
import { recover } from '../state/recovery.ts';
import { createSnapshot, createSnapshotAt, parseSnapshot, type SnapshotWriter } from '../state/snapshot.ts';
import { StateError } from '../state/state-error.ts';
import { createCounters } from '../stream/counters.ts';
import { createStreamMemory, type RoadOptions, road } from '../stream/pipeline.ts';
import { createDeliveryMemory, type DeliveryMemory } from './delivery-memory.ts';
import { createMonitor } from './monitor.ts';
import { headerOf, type KeptModel } from './snapshots.ts';
import { type KeptStreams, nameOfState, restoreStream, saveStream } from './stream-state.ts';

export interface StoredStatesOptions extends Pick<RoadOptions, 'combine' | 'latenessMs'> {
  readonly folder: string;
  /** Asked for when the folder is held: until then a rollback may change which model serves. */
  readonly loadEngine: () => Promise<Engine>;
  readonly maxStreams: number;
  readonly onDamage: (message: string) => void;
}

/** The states of a service that is stopped. */
export interface StoredStates extends KeptModel {
  /** Writes the states of these streams to a file of its own.
   * @returns how many there are */
  write(names: Iterable<string>, path: string): Promise<number>;
  /** Puts streams of such a file, all or the `wanted` ones, in the place of their states, and of all else that the folder has of them.
   * @returns their names
   * @throws StateError for a file of other weights, of another program, a damaged one, or with more than the service may have */
  read(bytes: Uint8Array, path: string, wanted?: readonly string[]): Promise<string[]>;
  /** The next start knows nothing of them, with whatever model. */
  forget(names: readonly string[]): Promise<void>;
}

/** Brings the states of a folder up to their newest reading, as a start of the service would, and holds the folder meanwhile.
 * @throws StateError when a service holds it */
export async function withStoredStates<T>(
  options: StoredStatesOptions,
  work: (states: StoredStates) => Promise<T>,
): Promise<T> {
  const lock = await lockFolder(options.folder);
  try {
    return await work(createStoredStates(await openFolder(options), options));
  } finally {
    await lock.release();
  }
}

/** What a folder holds. */
interface Opened extends KeptModel {
  readonly deliveries: DeliveryMemory;
  /** The number of its next snapshot. */
  readonly next: number;
}

async function openFolder(options: StoredStatesOptions): Promise<Opened> {
  const { folder, loadEngine, onDamage, combine, latenessMs } = options;
  const engine = await loadEngine();
  const { model } = engine;
  const memory = createStreamMemory(engine, { combine, latenessMs });
  const monitor = createMonitor({
    ...{ model, staleAfterMs: Number.POSITIVE_INFINITY, charted: false },
    maxStreams: Number.POSITIVE_INFINITY,
  });
  const opened = { engine, memory, monitor, deliveries: createDeliveryMemory() };
  const { states, batches, next, aligning } = await recover(folder, {
    ...{ header: headerOf(opened), onDamage, onMarks: opened.deliveries.restore },
  });
  for (const state of states) restoreStream(state, opened, model, aligning === memory.aligning);
  // the past alone: the end of a live input would close the open frames
  NEVER.pipe(road(engine, { memory, history: batches, decoders: [], counters: createCounters() }))
    .subscribe((outcome) => monitor.noteOutcome(outcome, Number.NaN))
    .unsubscribe();
  return { ...opened, next };
}

function createStoredStates(
  opened: Opened,
  { folder, maxStreams }: Pick<StoredStatesOptions, 'folder' | 'maxStreams'>,
): StoredStates {
  const { engine, memory, monitor, deliveries, next } = opened;
  const header = headerOf(opened);
  const forget = (names: readonly string[]) => forgetStreams(folder, new Set(names), nameOfState);
  return {
    ...{ memory, monitor, engine, forget },
    async write(names, path) {
      const unfinished = `${path}.${randomBytes(4).toString('hex')}.new`;
      return await writeAll(await createSnapshotAt(path, header, unfinished), opened, names);
    },
    async read(bytes, path, wanted) {
      const found = parseSnapshot(Buffer.from(bytes), path);
      if (found.header.model !== engine.id) {
        throw new StateError(
          `${path} holds states of the model ${found.header.model.slice(0, 12)}, expected ${engine.id.slice(0, 12)}: states belong to their weights`,
        );
      }
      const taken = found.states.filter((state) => wanted?.includes(nameOfState(state)) ?? true);
      const names = taken.map(nameOfState);
      const { size } = new Set([...names, ...memory.table.streams.keys()]);
      if (size > maxStreams) {
        throw new StateError(
          `${size} streams with those of ${path}, expected at most ${maxStreams}: raise maxStreams`,
        );
      }
      const isAligned = found.header.aligning === memory.aligning;
      for (const state of taken) restoreStream(state, opened, engine.model, isAligned);
      await forget(names);
      // what the broker still delivers comes to this device
      const marks = writeMarks(deliveries.all());
      const snapshot = await createSnapshot(folder, next, header);
      await writeAll(snapshot, opened, memory.table.streams.keys(), marks);
      return names;
    },
  };
}

/** @returns how many there are */
async function writeAll(
  snapshot: SnapshotWriter,
  kept: KeptStreams,
  names: Iterable<string>,
  marks?: Buffer,
): Promise<number> {
  let count = 0;
  try {
    for (const name of names) {
      const stream = kept.memory.table.streams.get(name);
      if (stream === undefined) continue;
      snapshot.add(saveStream(stream, kept));
      count++;
    }
    await snapshot.finish(marks);
    return count;
  } catch (error) {
    await snapshot.abandon();
    throw error;
  }
}
