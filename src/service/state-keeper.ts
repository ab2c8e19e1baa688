import { createJournal, type Journal } from '../state/journal.ts';
import { readRecentLog } from '../state/recent-log.ts';
import { type Recovered, recover } from '../state/recovery.ts';
import type { ReadingObserver } from '../stream/align.ts';
import type { Reading } from '../stream/decode.ts';
import type { DeliveryMemory } from './delivery-memory.ts';
import type { Log } from './log.ts';
import { createSnapshots, headerOf, type KeptModel, keptBytes, type SnapshotsOptions } from './snapshots.ts';
import { restoreStream } from './stream-state.ts';

export interface StateKeeperOptions extends SnapshotsOptions {
  /** What came and may come again, with the readings that it brought. */
  readonly deliveries?: Pick<DeliveryMemory, 'take' | 'all' | 'restore'> | undefined;
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
  return createStateKeeper(options, { ...found, batches: sayProgress(found, log) });
}

/** Between two lines on how far a start is. */
const betweenReportsMs = 2_000;

/** Says how much of the log the states have gone through. */
function* sayProgress(
  { batches, batchCount }: Pick<Recovered, 'batches' | 'batchCount'>,
  log: Log,
): Iterable<readonly Reading[]> {
  const startMs = performance.now();
  let saidMs = startMs;
  let done = 0;
  for (const readings of batches) {
    yield readings;
    done++;
    const nowMs = performance.now();
    if (nowMs - saidMs < betweenReportsMs) continue;
    saidMs = nowMs;
    const seconds = Math.round((nowMs - startMs) / 1000);
    log.info({ percent: Math.floor((100 * done) / batchCount), seconds }, 'goes through the log');
  }
}

function createStateKeeper(
  options: StateKeeperOptions,
  { batches, next, ...found }: Omit<Recovered, 'states' | 'aligning' | 'batchCount'>,
): StateKeeper {
  const { folder, log, deliveries } = options;
  const journal: Journal = createJournal(folder, {
    header: () => headerOf(snapshots.kept),
    ...{ first: next, marks: deliveries },
  });
  const snapshots = createSnapshots(options, journal, found);
  let closing = false;

  async function commit(): Promise<void> {
    if (journal.uncommitted > mostUncommitted) snapshots.noteLacking();
    if (snapshots.isLacking) {
      while (snapshots.running) await snapshots.running;
      // the one that was under way has perhaps filled it
      if (snapshots.isLacking) {
        // which alone makes a start find what it fills
        if (snapshots.isTurning) throw new Error('the states of the new model have to be on disk first');
        return await snapshots.take();
      }
    }
    await journal.commit();
    if (!snapshots.isDue) return;
    snapshots.take().catch((error: Error) => {
      if (!closing) log.warn({ reason: error.message }, 'a snapshot was not written');
    });
  }

  return {
    history: batches,
    before: snapshots.before,
    taken: ({ stream, feature, timeMs, value }) => journal.note(stream, feature, timeMs, value),
    get uncommitted() {
      return journal.uncommitted;
    },
    get isBehind() {
      return snapshots.isLacking || journal.uncommitted > 0;
    },
    get unsealed() {
      return journal.unsealed;
    },
    get writtenBytes() {
      return journal.writtenBytes + snapshots.writtenBytes;
    },
    commit,
    async keepAll() {
      snapshots.noteLacking();
      await commit();
    },
    async *recent() {
      await commit();
      yield* readRecentLog(folder, snapshots.kept.engine.model.input.names, keptBytes);
    },
    async adopt(model, remember) {
      snapshots.turnTo(model);
      // one of the model before goes on as it was: its states change no more
      while (snapshots.running) await snapshots.running;
      await snapshots.take();
      remember();
      snapshots.leaveBehind();
    },
    async close() {
      try {
        closing = true;
        // one that has begun would hold up the end; the log has all that it would
        snapshots.close();
        while (snapshots.running) await snapshots.running;
        if (snapshots.isLacking) await commit();
        await journal.close();
      } finally {
        // whoever has the folder next finds nothing of ours under way in it, nor begun later
        snapshots.giveUp();
        while (snapshots.running) await snapshots.running;
      }
    },
  };
}
