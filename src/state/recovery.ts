import { rename, truncate } from 'node:fs/promises';
import { tidy } from './disk-error.ts';
import { type FileHeader, readHeader } from './file-header.ts';
import { readFrames } from './frames.ts';
import type { Marks } from './marks.ts';
import { createReadingsReader, type LoggedReading } from './readings-record.ts';
import { readSnapshot, type Snapshot } from './snapshot.ts';
import { DamageError } from './state-error.ts';
import { listNumbers, pathOf, readWhole, removeUnfinished } from './state-files.ts';

/** What a state folder holds for a model. */
export interface Recovered {
  /** The states of the newest whole snapshot of these weights, a stream each. */
  readonly states: readonly Buffer[];
  /** Of that snapshot. */
  readonly snapshotNumber: number | undefined;
  readonly snapshotBytes: number;
  /** How the frames were closed whose states they are. */
  readonly aligning: string | undefined;
  /** What was read after it, in order, a commit at a time. Without such a snapshot: all that the log still has. To be gone
   * through once: what was read is let go. */
  readonly batches: Iterable<readonly LoggedReading[]>;
  /** At most so many: a damaged one ends its file. */
  readonly batchCount: number;
  /** Of the log that they are read from. */
  readonly logBytes: number;
  /** The number of the next file of the log. */
  readonly next: number;
}

export interface RecoveryOptions {
  readonly header: FileHeader;
  /** Says what was found damaged, and what became of it. */
  readonly onDamage: (message: string) => void;
  /** Gets the marks of snapshot and log as the batches are gone through. */
  readonly onMarks?: ((marks: Marks) => void) | undefined;
}

/** Mends what it finds, where the disk lets it; a start does not need that.
 * @throws StateError for a file of a newer program */
export async function recover(folder: string, options: RecoveryOptions): Promise<Recovered> {
  await removeUnfinished(folder);
  const snapshots = await listNumbers(folder, 'snapshot');
  const logs = await listNumbers(folder, 'log');
  const next = Math.max(0, ...snapshots, ...logs) + 1;
  /** Of the newest snapshot, whatever its weights. */
  let marked: MarkedPlace | undefined;
  for (const number of snapshots.reverse()) {
    const snapshot = await openSnapshot(folder, number, options);
    if (snapshot?.marks) marked ??= { number, marks: snapshot.marks };
    // other weights cannot go on from these states
    if (snapshot?.header.model !== options.header.model) continue;
    const later = logs.filter((log) => log >= number);
    return {
      states: snapshot.states,
      snapshotNumber: number,
      snapshotBytes: snapshot.bytes,
      aligning: snapshot.header.aligning,
      ...(await readLogs(folder, later, { ...options, marked })),
      next,
    };
  }
  const read = await readLogs(folder, logs, { ...options, marked });
  return { states: [], snapshotNumber: undefined, snapshotBytes: 0, aligning: undefined, ...read, next };
}

/** What counts of the messages before the log of that number. */
interface MarkedPlace {
  readonly number: number;
  readonly marks: Marks;
}

interface LogOptions extends RecoveryOptions {
  readonly marked: MarkedPlace | undefined;
}

/** Undefined where it is damaged. */
async function openSnapshot(
  folder: string,
  number: number,
  { onDamage }: RecoveryOptions,
): Promise<Snapshot | undefined> {
  const path = pathOf(folder, 'snapshot', number);
  try {
    return await readSnapshot(path);
  } catch (error) {
    onDamage(`${await setAside(path, error)}, and an older one is taken with the log since then`);
    return undefined;
  }
}

/** @returns what was damaged and what became of it
 * @throws what is no damage */
async function setAside(path: string, error: unknown): Promise<string> {
  if (!(error instanceof DamageError)) throw error;
  const refusal = await tidy(rename(path, `${path}.damaged`));
  return `${error.message}; it ${refusal === undefined ? 'is set aside' : `is left out and stays (${refusal})`}`;
}

interface LogFile {
  readonly number: number;
  readonly path: string;
  readonly records: readonly Buffer[];
  /** Where each of its features stands in the model, -1 for one that the model does not read. */
  readonly places: readonly number[];
  /** Of its whole records. */
  readonly bytes: number;
}

/** The files are read at once, their records one by one. */
async function readLogs(
  folder: string,
  numbers: readonly number[],
  options: LogOptions,
): Promise<Pick<Recovered, 'batches' | 'batchCount' | 'logBytes'>> {
  const files: LogFile[] = [];
  for (const number of numbers) {
    const file = await openLog(folder, number, options);
    if (file) files.push(file);
  }
  const logBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const batchCount = files.reduce((sum, { records }) => sum + records.length, 0);
  return { batches: batchesOf(files, options), batchCount, logBytes };
}

/** Undefined where it has no whole record. */
async function openLog(
  folder: string,
  number: number,
  { header, onDamage }: RecoveryOptions,
): Promise<LogFile | undefined> {
  const path = pathOf(folder, 'log', number);
  const found = await readWhole(path);
  const { payloads, wholeBytes } = readFrames(found);
  // killed before its header was written
  if (found.length === 0) return undefined;
  try {
    const { features } = readHeader(payloads[0], path);
    if (wholeBytes < found.length) {
      const refusal = await tidy(truncate(path, wholeBytes));
      const end = refusal === undefined ? 'are cut off' : `are left out and stay (${refusal})`;
      onDamage(`${path}: ${found.length - wholeBytes} bytes at its end are no whole record and ${end}`);
    }
    const places = features.map((feature) => header.features.indexOf(feature));
    return { number, path, records: payloads.slice(1), places, bytes: wholeBytes };
  } catch (error) {
    onDamage(await setAside(path, error));
    return undefined;
  }
}

function* batchesOf(
  files: LogFile[],
  { onDamage, onMarks, marked }: LogOptions,
): Generator<readonly LoggedReading[], void, void> {
  let ahead = marked;
  for (let file = files.shift(); file !== undefined; file = files.shift()) {
    const { number, path, records, places } = file;
    if (ahead && ahead.number <= number) {
      onMarks?.(ahead.marks);
      ahead = undefined;
    }
    const read = createReadingsReader(onMarks);
    for (const record of records) {
      let readings: readonly LoggedReading[];
      try {
        readings = read(record);
      } catch (error) {
        if (!(error instanceof DamageError)) throw error;
        onDamage(`${path}: ${error.message}; what follows in this file is left out`);
        break;
      }
      yield renumber(readings, places);
    }
  }
  // nothing has been read since then
  if (ahead) onMarks?.(ahead.marks);
}

/** With its features as the model numbers them, without those that it does not read. */
function renumber(readings: readonly LoggedReading[], places: readonly number[]): readonly LoggedReading[] {
  if (readings.every(({ feature }) => places[feature] === feature)) return readings;
  return readings.flatMap((reading) => {
    const feature = places[reading.feature] ?? -1;
    return feature < 0 ? [] : [{ ...reading, feature }];
  });
}
