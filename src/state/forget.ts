import { frameOf, readFrames } from './frames.ts';
import { type Marks, writeMarks } from './marks.ts';
import { createReadingsReader, createReadingsWriter, takeRecord } from './readings-record.ts';
import { createSnapshotAt, readSnapshot, type Snapshot } from './snapshot.ts';
import { DamageError } from './state-error.ts';
import { listNumbers, pathOf, readWhole, replaceFile } from './state-files.ts';

/** Takes some streams out of a folder: their readings out of the log, so that no model warms up on them, and their states out of all
 * snapshots, those of other models too. Whatever ends it in between, the newest snapshot has them until the rest is done. This
 * process holds the folder, and has mended it.
 * @param nameOf of the stream of a state */
export async function forgetStreams(
  folder: string,
  names: ReadonlySet<string>,
  nameOf: (state: Buffer) => string,
): Promise<void> {
  for (const number of await listNumbers(folder, 'log')) {
    await forgetInLog(pathOf(folder, 'log', number), names);
  }
  for (const number of await listNumbers(folder, 'snapshot')) {
    await forgetInSnapshot(pathOf(folder, 'snapshot', number), (state) => names.has(nameOf(state)));
  }
}

async function forgetInLog(path: string, names: ReadonlySet<string>): Promise<void> {
  const [header, ...records] = readFrames(await readWhole(path)).payloads;
  const read = createReadingsReader();
  const isConcerned = records.some((record) => read(record).some(({ stream }) => names.has(stream)));
  if (isConcerned) await replaceFile(path, withoutReadings(header, records, names));
}

function* withoutReadings(
  header: Buffer,
  records: readonly Buffer[],
  names: ReadonlySet<string>,
): Generator<Buffer, void, void> {
  let marks: Marks | undefined;
  const read = createReadingsReader((found) => {
    marks = found;
  });
  const writer = createReadingsWriter();
  yield frameOf(header);
  for (const record of records) {
    marks = undefined;
    for (const { stream, feature, timeMs, value } of read(record)) {
      if (!names.has(stream)) writer.add(stream, feature, timeMs, value);
    }
    if (writer.count > 0 || marks !== undefined) yield frameOf(takeRecord(writer, marks));
  }
}

async function forgetInSnapshot(path: string, isGone: (state: Buffer) => boolean): Promise<void> {
  const snapshot = await readWholeSnapshot(path);
  if (!snapshot?.states.some(isGone)) return;
  const writer = await createSnapshotAt(path, snapshot.header);
  try {
    for (const state of snapshot.states) if (!isGone(state)) writer.add(state);
    await writer.finish(snapshot.marks && writeMarks(snapshot.marks));
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/** Undefined for a damaged one, from which no start goes on. */
async function readWholeSnapshot(path: string): Promise<Snapshot | undefined> {
  try {
    return await readSnapshot(path);
  } catch (error) {
    if (error instanceof DamageError) return undefined;
    throw error;
  }
}
