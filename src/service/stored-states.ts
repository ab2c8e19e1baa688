import { randomBytes } from 'node:crypto';
import { NEVER } from 'rxjs';
import type { Engine } from '../engine/engine.ts';
import type { FileHeader } from '../state/file-header.ts';
import { forgetStreams } from '../state/forget.ts';
import { lockFolder } from '../state/lock.ts';
import { writeMarks } from '../state/marks.ts';
import { recover } from '../state/recovery.ts';
import { createSnapshot, createSnapshotAt, parseSnapshot, type SnapshotWriter } from '../state/snapshot.ts';
import { StateError } from '../state/state-error.ts';
import { createCounters } from '../stream/counters.ts';
import { createStreamMemory, type RoadOptions, road } from '../stream/pipeline.ts';
import { createDeliveryMemory } from './delivery-memory.ts';
import { createMonitor } from './monitor.ts';
import { headerOf } from './snapshots.ts';
import { type KeptStreams, nameOfState, restoreStream, saveStream } from './stream-state.ts';

export interface StoredStatesOptions extends Pick<RoadOptions, 'combine' | 'latenessMs'> {
  readonly folder: string;
  /** Asked for when the folder is held: until then a rollback may change which model serves. */
  readonly loadEngine: () => Promise<Engine>;
  readonly maxStreams: number;
  readonly onDamage: (message: string) => void;
}

/** The states of a service that is stopped. */
export interface StoredStates extends KeptStreams {
  readonly header: FileHeader;
  readonly engine: Engine;
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
  { folder, loadEngine, onDamage, maxStreams, ...options }: StoredStatesOptions,
  work: (states: StoredStates) => Promise<T>,
): Promise<T> {
  const lock = await lockFolder(folder);
  try {
    const engine = await loadEngine();
    const memory = createStreamMemory(engine, options);
    const { model, id } = engine;
    const monitor = createMonitor({
      model,
      staleAfterMs: Number.POSITIVE_INFINITY,
      charted: false,
      maxStreams: Number.POSITIVE_INFINITY,
      ...options,
    });
    const kept: KeptStreams = { memory, monitor };
    const header = headerOf({ engine, ...kept });
    const deliveries = createDeliveryMemory();
    const { states, batches, next, aligning } = await recover(folder, {
      ...{ header, onDamage, onMarks: deliveries.restore },
    });
    for (const state of states) restoreStream(state, kept, model, aligning === memory.aligning);
    // the past alone: the end of a live input would close the open frames
    NEVER.pipe(road(engine, { memory, history: batches, decoders: [], counters: createCounters() }))
      .subscribe((outcome) => monitor.noteOutcome(outcome, Number.NaN))
      .unsubscribe();

    async function writeAll(
      snapshot: SnapshotWriter,
      names: Iterable<string>,
      marks?: Buffer,
    ): Promise<number> {
      let count = 0;
      try {
        for (const name of new Set(names)) {
          const stream = memory.table.streams.get(name);
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

    const forget = (names: readonly string[]) => forgetStreams(folder, new Set(names), nameOfState);
    return await work({
      ...{ memory, monitor, header, engine, forget },
      async write(names, path) {
        const unfinished = `${path}.${randomBytes(4).toString('hex')}.new`;
        return await writeAll(await createSnapshotAt(path, header, unfinished), names);
      },
      async read(bytes, path, wanted) {
        const found = parseSnapshot(Buffer.from(bytes), path);
        if (found.header.model !== id) {
          throw new StateError(
            `${path} holds states of the model ${found.header.model.slice(0, 12)}, expected ${id.slice(0, 12)}: states belong to their weights`,
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
        for (const state of taken)
          restoreStream(state, kept, model, found.header.aligning === memory.aligning);
        await forget(names);
        // what the broker still delivers comes to this device
        const marks = writeMarks(deliveries.all());
        await writeAll(await createSnapshot(folder, next, header), memory.table.streams.keys(), marks);
        return names;
      },
    });
  } finally {
    await lock.release();
  }
}
