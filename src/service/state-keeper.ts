import type { Engine } from '../engine/engine.ts';
import { type FileHeader, fileFormat } from '../state/file-header.ts';
import { createJournal, type Journal } from '../state/journal.ts';
import { writeMarks } from '../state/marks.ts';
import { readRecentLog } from '../state/recent-log.ts';
import { type Recovered, recover } from '../state/recovery.ts';
import { createSnapshot } from '../state/snapshot.ts';
import { removeOld } from '../state/state-files.ts';
import type { ReadingObserver } from '../stream/align.ts';
import type { Reading } from '../stream/decode.ts';
import type { DeliveryMemory } from './delivery-memory.ts';
import type { Log } from './log.ts';
import { createSnapshotPass, type SnapshotPass } from './snapshot-pass.ts';
import { type KeptStreams, restoreStream } from './stream-state.ts';

/** A model whose states are kept. */
export interface KeptModel extends KeptStreams {
  readonly engine: Engine;
}

export interface StateKeeperOptions extends KeptModel {
  readonly folder: string;
  readonly log: Log;
  /** What came and may come again, with the readings that it brought. */
  readonly deliveries?: Pick<DeliveryMemory, 'take' | 'all' | 'restore'> | undefined;
  /** Bytes of the log between two snapshots at least. */
  readonly betweenSnapshots?: number | undefined;
}

/** Keeps the states of a road on disk: the input log, and now and then a snapshot that makes recovery short. */
export interface StateKeeper extends Omit<ReadingObserver, 'repeated'> {
  /** What was read since the snapshot that the states come from: the history that the road starts with. With it `deliveries`
   * learns what came then. */
  readonly history: Iterable<readonly Reading[]>;
  /** Readings that are not yet on disk. */
  readonly uncommitted: number;
  /** There is something for a commit to do. */
  readonly isBehind: boolean;
  /** Those of them that came since the last commit began. */
  readonly unsealed: number;
  /** Of log and snapshots, since the start. */
  readonly writtenBytes: number;
  /** Resolves when all that was read before the call is on disk.
   * @throws the error of the disk; the next call tries again. Until then readings wait in memory, of more than two million the
   * states alone */
  commit(): Promise<void>;
  /** The states come from more than the folder has. Resolves when they are on disk all the same; what is read meanwhile is not
   * on disk before them.
   * @throws the error of the disk; the next commit tries again */
  keepAll(): Promise<void>;
  /** What the log still has, up to now, a record at a time: another model warms up on it. Commits first. */
  recent(): AsyncGenerator<readonly Reading[], void>;
  /** From now on it is this model whose states are kept, with the same features. When they are on disk `remember` notes that a
   * start finds this model; until then the folder still has all of the states of the one before.
   * @throws the error of the disk, or of `remember`; a later snapshot, or another call, has them all the same */
  adopt(model: KeptModel, remember: () => void): Promise<void>;
  /** Commits. Nothing is written to the folder after that. */
  close(): Promise<void>;
}

/** Bytes of the log between two snapshots, or those of the last snapshot where it was larger: then at most half of what is
 * written are snapshots, and recovery reads at most twice the states, unless a snapshot failed: it is tried again after as
 * much again. */
const leastLogBytes = 1024 * 1024;
/** Of the log that is kept beyond what recovery needs. */
const keptBytes = 64 * 1024 * 1024;
/** Readings that wait for a disk that takes nothing: then a snapshot has to do for them all. */
const mostUncommitted = 2_000_000;

/** Fills memory and monitor with the states that the folder holds. This process has locked it.
 * @throws StateError when a newer program wrote it */
export async function openStateKeeper(options: StateKeeperOptions): Promise<StateKeeper> {
  const { folder, engine, memory, log, deliveries } = options;
  const { states, aligning, ...found } = await recover(folder, {
    header: headerOf(options),
    onDamage: (message) => log.error({}, message),
    onMarks: deliveries?.restore,
  });
  for (const state of states) restoreStream(state, options, engine.model, aligning === memory.aligning);
  if (found.logBytes > 0) {
    log.info(
      { streams: states.length, logMb: Number((found.logBytes / 1e6).toFixed(1)) },
      'found the states of an earlier run; goes through the log since then',
    );
  }
  return createStateKeeper(options, found);
}

function headerOf({ engine, memory }: KeptModel): FileHeader {
  return {
    ...{ format: fileFormat, model: engine.id, features: engine.model.input.names },
    aligning: memory.aligning,
  };
}

function createStateKeeper(
  options: StateKeeperOptions,
  { batches, next, snapshotNumber, snapshotBytes, logBytes }: Omit<Recovered, 'states' | 'aligning'>,
): StateKeeper {
  const { folder, log, deliveries, betweenSnapshots = leastLogBytes } = options;
  let kept: KeptModel = options;
  const journal: Journal = createJournal(folder, {
    header: () => headerOf(kept),
    ...{ first: next, marks: deliveries },
  });
  let pass: SnapshotPass | undefined;
  let passing: Promise<void> | undefined;
  let closing = false;
  let lastBytes = snapshotBytes;
  /** Of the log before the file in hand, since the last snapshot. */
  let earlierBytes = logBytes;
  /** The two newest snapshots of the model whose states are kept. */
  let own = snapshotNumber === undefined ? [] : [snapshotNumber];
  /** The newest one of the model before, 0 for none, while a start still finds that model. */
  let outgoing: number | undefined;
  let snapshotsBytes = 0;
  // the states have readings that no file has
  let lacking = false;

  function checkOpen(): void {
    if (closing && !lacking) throw new Error('the service stops');
  }

  async function takeSnapshot(): Promise<void> {
    checkOpen();
    const fills = lacking;
    if (fills) await journal.restart();
    const of = kept;
    const number = journal.number + 1;
    const writer = await createSnapshot(folder, number, headerOf(of));
    if (of !== kept) {
      // what came meanwhile has not changed its states any more
      await writer.abandon();
      return await takeSnapshot();
    }
    // between two batches: all that was read until now is in the states, all that comes is in the next file
    journal.rotate();
    const marks = deliveries && writeMarks(deliveries.all());
    earlierBytes = 0;
    pass = createSnapshotPass(of, writer);
    try {
      await pass.saveAll(checkOpen);
      // The log before it is whole once it counts: should it be damaged, the one before goes on from there. Where the log has a
      // hole, nothing of after it is on disk before the snapshot is.
      if (!fills) await journal.commit();
      await writer.finish(marks);
      if (fills) lacking = false;
      lastBytes = writer.bytes;
      snapshotsBytes += writer.bytes;
      if (of === kept) own = [...own, number].slice(-2);
      else outgoing = number;
    } catch (error) {
      await writer.abandon();
      throw error;
    } finally {
      pass = undefined;
    }
    await removeOld(folder, neededSnapshots(), keptBytes).catch(({ message: reason }: Error) =>
      log.warn({ reason }, 'states that are no longer needed were not removed'),
    );
  }

  /** Should the newest of two be damaged, the other goes on from there; a model with one has begun with the whole log. */
  function neededSnapshots(): number[] {
    return [...(own.length === 2 ? own : [0]), ...(outgoing === undefined ? [] : [outgoing])];
  }

  function startSnapshot(): Promise<void> {
    const taken = takeSnapshot();
    passing = taken
      .catch(() => {})
      .finally(() => {
        passing = undefined;
      });
    return taken;
  }

  async function commit(): Promise<void> {
    if (journal.uncommitted > mostUncommitted) lacking = true;
    if (lacking) {
      while (passing !== undefined) await passing;
      // the one that was under way has perhaps filled it
      if (lacking) return await startSnapshot();
    }
    await journal.commit();
    const bytes = earlierBytes + journal.fileBytes;
    if (passing !== undefined || bytes <= Math.max(betweenSnapshots, lastBytes)) return;
    startSnapshot().catch((error: Error) => {
      if (!closing) log.warn({ reason: error.message }, 'a snapshot was not written');
    });
  }

  return {
    history: batches,
    before: (stream) => pass?.before(stream),
    taken: ({ stream, feature, timeMs, value }) => journal.note(stream, feature, timeMs, value),
    get uncommitted() {
      return journal.uncommitted;
    },
    get isBehind() {
      return lacking || journal.uncommitted > 0;
    },
    get unsealed() {
      return journal.unsealed;
    },
    get writtenBytes() {
      return journal.writtenBytes + snapshotsBytes;
    },
    commit,
    async keepAll() {
      lacking = true;
      await commit();
    },
    async *recent() {
      await commit();
      yield* readRecentLog(folder, kept.engine.model.input.names, keptBytes);
    },
    async adopt(model, remember) {
      outgoing ??= own.at(-1) ?? 0;
      if (kept !== model) own = [];
      kept = model;
      // a snapshot of the one before goes on as it was: its states change no more
      while (passing !== undefined) await passing;
      await startSnapshot();
      remember();
      outgoing = undefined;
    },
    async close() {
      try {
        // one that has begun would hold up the end; the log has all that it would
        closing = true;
        await passing;
        if (lacking) await commit();
        await journal.close();
      } finally {
        // whoever has the folder next finds nothing of ours under way in it, nor begun later
        lacking = false;
        await passing;
      }
    },
  };
}
