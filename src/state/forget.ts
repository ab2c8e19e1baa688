import { frameOf, readFrames } from './frames.ts';
import type { Marks } from './marks.ts';
import { createReadingsReader, createReadingsWriter, takeRecord } from './readings-record.ts';
import { listNumbers, pathOf, readWhole, replaceFile } from './state-files.ts';

/** Takes the readings of some streams out of the log: no other model warms up on them. This process holds the folder, and has
 * mended it. */
export async function forgetStreams(folder: string, names: ReadonlySet<string>): Promise<void> {
  for (const number of await listNumbers(folder, 'log')) {
    const path = pathOf(folder, 'log', number);
    const { payloads } = readFrames(await readWhole(path));
    const left = leaveOut(payloads, names);
    if (left !== undefined) await replaceFile(path, left);
  }
}

/** The file without them; undefined where it has none of theirs. */
function leaveOut([header, ...records]: readonly Buffer[], names: ReadonlySet<string>): Buffer | undefined {
  let marks: Marks | undefined;
  const read = createReadingsReader((found) => {
    marks = found;
  });
  const writer = createReadingsWriter();
  const frames: Buffer[] = [];
  let count = 0;
  for (const record of records) {
    marks = undefined;
    const readings = read(record);
    for (const { stream, feature, timeMs, value } of readings) {
      if (!names.has(stream)) writer.add(stream, feature, timeMs, value);
    }
    count += readings.length - writer.count;
    if (writer.count > 0 || marks !== undefined) frames.push(frameOf(takeRecord(writer, marks)));
  }
  return count === 0 ? undefined : Buffer.concat([frameOf(header), ...frames]);
}
