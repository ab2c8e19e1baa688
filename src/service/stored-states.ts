import { NEVER } from 'rxjs';
import type { Engine } from '../engine/engine.ts';
import type { FileHeader } from '../state/file-header.ts';
import { forgetStreams } from '../state/forget.ts';
import { lockFolder } from '../state/lock.ts';
import { writeMarks } from '../state/marks.ts';
import { recover } from '../state/recovery.ts';
import { createSnapshot, createSnapshotAt, parseSnapshot } from '../state/snapshot.ts';
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
  /** Writes a snapshot of these streams: one with which the service starts next, or one of its own at `path`. With the first the
   * log forgets the other streams, and what it had of those that were `read`.
   * @returns how many there are
   * @throws StateError for more than the service may have */
  write(names: Iterable<string>, path?: string): Promise<number>;
  /** Puts streams of such a file, all or the `wanted` ones, in the place of their states. `write` then keeps them.
   * @returns their names
   * @throws StateError for a file of other weights, of another program, or a damaged one */
  read(bytes: Uint8Array, path: string, wanted?: readonly string[]): string[];
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
    const replaced = new Set<string>();
    return await work({
      ...{ memory, monitor, header, engine },
      async write(names, path) {
        const written = new Set(names);
        if (path === undefined && written.size > maxStreams) {
          throw new StateError(
            `${written.size} streams, expected at most the ${maxStreams} of maxStreams: raise it, or keep fewer`,
          );
        }
        const snapshot = await (path === undefined
          ? createSnapshot(folder, next, header)
          : createSnapshotAt(path, header));
        let count = 0;
        try {
          for (const name of written) {
            const stream = memory.table.streams.get(name);
            if (stream === undefined) continue;
            snapshot.add(saveStream(stream, kept));
            count++;
          }
          // what the broker still delivers comes to this device
          await snapshot.finish(path === undefined ? writeMarks(deliveries.all()) : undefined);
        } catch (error) {
          await snapshot.abandon();
          throw error;
        }
        if (path !== undefined) return count;
        // or the next model would warm up on what these states no longer come from
        const gone = [...memory.table.streams.keys()].filter((name) => !written.has(name));
        await forgetStreams(folder, new Set([...gone, ...replaced]));
        return count;
      },
      read(bytes, path, wanted) {
        const found = parseSnapshot(Buffer.from(bytes), path);
        if (found.header.model !== id) {
          throw new StateError(
            `${path} holds states of the model ${found.header.model.slice(0, 12)}, expected ${id.slice(0, 12)}: states belong to their weights`,
          );
        }
        const taken = found.states.filter((state) => wanted?.includes(nameOfState(state)) ?? true);
        return taken.map((state) => {
          const name = restoreStream(state, kept, model, found.header.aligning === memory.aligning) as string;
          replaced.add(name);
          return name;
        });
      },
    });
  } finally {
    await lock.release();
  }
}
