import type { Engine } from '../engine/engine.ts';
import { type FileHeader, fileFormat } from '../state/file-header.ts';
import type { Journal } from '../state/journal.ts';
import { writeMarks } from '../state/marks.ts';
import type { Recovered } from '../state/recovery.ts';
import { createSnapshot, type SnapshotWriter } from '../state/snapshot.ts';
import { removeOld } from '../state/state-files.ts';
import type { AlignedStream } from '../stream/stream-table.ts';
import type { DeliveryMemory } from './delivery-memory.ts';
import type { Log } from './log.ts';
import { createSnapshotPass, type SnapshotPass } from './snapshot-pass.ts';
import type { KeptStreams } from './stream-state.ts';

/** A model whose states are kept. */
export interface KeptModel extends KeptStreams {
  readonly engine: Engine;
}

export interface SnapshotsOptions extends KeptModel {
  readonly folder: string;
  readonly log: Log;
  /** What came and may come again. */
  readonly deliveries?: Pick<DeliveryMemory, 'all'> | undefined;
  /** Bytes of the log between two snapshots at least. */
  readonly betweenSnapshots?: number | undefined;
}

/** The snapshots of a state folder, one at a time. */
export interface Snapshots {
  /** The model whose states they are. */
  readonly kept: KeptModel;
  /** The states have readings that no file has: a snapshot of the model that a start finds fills the hole, and nothing is on disk
   * before it. */
  readonly isLacking: boolean;
  /** A start still finds the model before the one that is kept. */
  readonly isTurning: boolean;
  /** The log since the last one is long enough for another, and none is under way. */
  readonly isDue: boolean;
  readonly writtenBytes: number;
  before(stream: AlignedStream): void;
  noteLacking(): void;
  /** While none is `running`.
   * @throws the error of the disk, or where they are to end */
  take(): Promise<void>;
  /** Resolves when the one that is under way has ended, however. */
  readonly running: Promise<void> | undefined;
  /** From now on they are of this model; until `leaveBehind` the folder keeps what a start with the one before needs. */
  turnTo(model: KeptModel): void;
  leaveBehind(): void;
  /** From now on only one that fills a hole is taken; `giveUp`: none. */
  close(): void;
  giveUp(): void;
}

/** Bytes of the log between two snapshots, or those of the last snapshot where it was larger: then at most half of what is
 * written after the first are snapshots, and recovery reads at most twice the states, unless a snapshot failed: it is tried again after as
 * much again. */
const leastLogBytes = 1024 * 1024;
/** Of the log that is kept beyond what recovery needs. */
export const keptBytes = 64 * 1024 * 1024;

export function headerOf({ engine, memory }: KeptModel): FileHeader {
  return {
    ...{ format: fileFormat, model: engine.id, features: engine.model.input.names },
    aligning: memory.aligning,
  };
}

/** @param found where they go on from */
export function createSnapshots(
  options: SnapshotsOptions,
  journal: Journal,
  found: Pick<Recovered, 'snapshotNumber' | 'snapshotBytes' | 'logBytes'>,
): Snapshots {
  const { folder, log, deliveries, betweenSnapshots = leastLogBytes } = options;
  let kept: KeptModel = options;
  let pass: SnapshotPass | undefined;
  let running: Promise<void> | undefined;
  let lacking = false;
  /** A snapshot of a model that a start does not find yet has what is lacking. */
  let filled = false;
  let closing = false;
  let lastBytes = found.snapshotBytes;
  let writtenBytes = 0;
  /** Of the log before the file in hand, since the last snapshot. */
  let earlierBytes = found.logBytes;
  /** The two newest snapshots of the model whose states are kept. */
  let own = found.snapshotNumber === undefined ? [] : [found.snapshotNumber];
  /** The newest one of the model before, 0 for none, while a start still finds that model. */
  let outgoing: number | undefined;

  function checkOpen(): void {
    if (closing && !lacking) throw new Error('the service stops');
  }

  async function takeOne(): Promise<void> {
    checkOpen();
    const fills = lacking;
    if (fills) await journal.restart();
    const of = kept;
    const number = journal.number + 1;
    const writer = await createSnapshot(folder, number, headerOf(of));
    if (of !== kept) {
      // what came meanwhile has not changed its states any more
      await writer.abandon();
      return await takeOne();
    }
    try {
      await writeAll(of, writer, fills);
    } catch (error) {
      await writer.abandon();
      throw error;
    } finally {
      writtenBytes += writer.bytes;
    }
    // one of the model before, which was under way, is of the one that a start finds
    if (fills && (of !== kept || outgoing === undefined)) lacking = false;
    else filled = fills;
    lastBytes = writer.bytes;
    if (of === kept) own = [...own, number].slice(-2);
    else outgoing = number;
    await removeOld(folder, neededOnes(), keptBytes).catch(({ message: reason }: Error) =>
      log.warn({ reason }, 'states that are no longer needed were not removed'),
    );
  }

  async function writeAll(of: KeptModel, writer: SnapshotWriter, fills: boolean): Promise<void> {
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
    } finally {
      pass = undefined;
    }
  }

  /** Should the newest of two be damaged, the other goes on from there; a model with one has begun with the whole log. */
  function neededOnes(): number[] {
    return [...(own.length === 2 ? own : [0]), ...(outgoing === undefined ? [] : [outgoing])];
  }

  return {
    get kept() {
      return kept;
    },
    get isLacking() {
      return lacking;
    },
    get isTurning() {
      return outgoing !== undefined;
    },
    get isDue() {
      return (
        running === undefined && earlierBytes + journal.fileBytes > Math.max(betweenSnapshots, lastBytes)
      );
    },
    get writtenBytes() {
      return writtenBytes;
    },
    before: (stream) => pass?.before(stream),
    noteLacking() {
      lacking = true;
      filled = false;
    },
    take() {
      const taken = takeOne();
      running = taken
        .catch(() => {})
        .finally(() => {
          running = undefined;
        });
      return taken;
    },
    get running() {
      return running;
    },
    turnTo(model) {
      outgoing ??= own.at(-1) ?? 0;
      if (kept !== model) own = [];
      kept = model;
    },
    leaveBehind() {
      outgoing = undefined;
      if (filled) lacking = false;
    },
    close() {
      closing = true;
    },
    giveUp() {
      lacking = false;
    },
  };
}
