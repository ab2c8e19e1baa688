import { readFile, rename, truncate } from 'node:fs/promises';
import { type FileHeader, readHeader } from './file-header.ts';
import { readFrames } from './frames.ts';
import { createReadingsReader, type LoggedReading } from './readings-record.ts';
import { readSnapshot } from './snapshot.ts';
import { listNumbers, pathOf } from './state-files.ts';

/** What a state folder holds for a model. */
export interface Recovered {
  /** The states of the newest whole snapshot of these weights, a stream each. */
  readonly states: readonly Buffer[];
  /** How the frames were closed whose states they are. */
  readonly aligning: string | undefined;
  /** What was read after it, in order, a commit at a time. Without such a snapshot: all that the log still has. */
  readonly batches: Iterable<readonly LoggedReading[]>;
  /** The number of the next file of the log. */
  readonly next: number;
}

export interface RecoveryOptions {
  readonly header: FileHeader;
  /** Says what was found damaged, and what became of it. */
  readonly onDamage: (message: string) => void;
}

export async function recover(folder: string, { header, onDamage }: RecoveryOptions): Promise<Recovered> {
  const snapshots = await listNumbers(folder, 'snapshot');
  const logs = await listNumbers(folder, 'log');
  const next = Math.max(0, ...snapshots, ...logs) + 1;
  for (const number of snapshots.reverse()) {
    const path = pathOf(folder, 'snapshot', number);
    const snapshot = await readSnapshot(path).catch(async (error: Error) => {
      await rename(path, `${path}.damaged`);
      onDamage(`${error.message}; it is set aside, and an older one is taken with the log since then`);
      return undefined;
    });
    // other weights cannot go on from these states
    if (snapshot?.header.model !== header.model) continue;
    const later = logs.filter((log) => log >= number);
    return {
      states: snapshot.states,
      aligning: snapshot.header.aligning,
      batches: await readLogs(folder, later, { header, onDamage }),
      next,
    };
  }
  const batches = await readLogs(folder, logs, { header, onDamage });
  return { states: [], aligning: undefined, batches, next };
}

/** The files are read at once, their records one by one. */
async function readLogs(
  folder: string,
  numbers: readonly number[],
  { header, onDamage }: RecoveryOptions,
): Promise<Iterable<readonly LoggedReading[]>> {
  const files: { readonly payloads: readonly Buffer[]; readonly places: number[] | undefined }[] = [];
  for (const number of numbers) {
    const path = pathOf(folder, 'log', number);
    const bytes = await readFile(path);
    const { payloads, wholeBytes } = readFrames(bytes);
    if (wholeBytes < bytes.length) await cutTail(path, wholeBytes, bytes.length, onDamage);
    // killed before its header was written
    if (payloads.length === 0) continue;
    const places = placesOf(readHeader(payloads[0], path).features, header.features);
    files.push({ payloads: payloads.slice(1), places });
  }
  return {
    *[Symbol.iterator]() {
      for (const { payloads, places } of files) {
        const read = createReadingsReader();
        for (const payload of payloads) yield renumber(read(payload), places);
      }
    },
  };
}

async function cutTail(
  path: string,
  wholeBytes: number,
  length: number,
  onDamage: RecoveryOptions['onDamage'],
): Promise<void> {
  await truncate(path, wholeBytes);
  onDamage(`${path}: ${length - wholeBytes} bytes at its end are no whole record and are cut off`);
}

/** Where each feature of a file stands in the model, or undefined where all stand as they did. */
function placesOf(found: readonly string[], wanted: readonly string[]): number[] | undefined {
  const places = found.map((feature) => wanted.indexOf(feature));
  return places.every((place, i) => place === i) ? undefined : places;
}

function renumber(
  readings: readonly LoggedReading[],
  places: readonly number[] | undefined,
): readonly LoggedReading[] {
  if (places === undefined) return readings;
  return readings.flatMap((reading) => {
    const feature = places[reading.feature] ?? -1;
    return feature < 0 ? [] : [{ ...reading, feature }];
  });
}
