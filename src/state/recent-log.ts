import { stat } from 'node:fs/promises';
import { readHeader } from './file-header.ts';
import { readFrames } from './frames.ts';
import { createReadingsReader, type LoggedReading } from './readings-record.ts';
import { listNumbers, pathOf, readWhole } from './state-files.ts';

/** What the log of a folder in use holds of these features, in order, a record at a time: its newest files, of `bytes` at most
 * but the newest in any case. Repairs nothing, since the end of the last file is perhaps being written. */
export async function* readRecentLog(
  folder: string,
  features: readonly string[],
  bytes: number,
): AsyncGenerator<readonly LoggedReading[], void> {
  const newest: string[] = [];
  let size = 0;
  for (const number of (await listNumbers(folder, 'log')).reverse()) {
    const path = pathOf(folder, 'log', number);
    size += await sizeOf(path);
    if (size > bytes && newest.length > 0) break;
    newest.unshift(path);
  }
  for (const path of newest) {
    const { payloads } = readFrames(await contentOf(path));
    if (payloads.length === 0) continue;
    const header = readHeader(payloads[0], path);
    if (header.features.join('\n') !== features.join('\n')) continue;
    const read = createReadingsReader();
    for (const payload of payloads.slice(1)) yield read(payload);
  }
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(({ size }) => size, nothingWhenGone(0));
}

async function contentOf(path: string): Promise<Buffer> {
  return await readWhole(path).catch(nothingWhenGone(Buffer.alloc(0)));
}

/** A file may be removed meanwhile: no recovery needs it any more. */
function nothingWhenGone<T>(nothing: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return nothing;
    throw error;
  };
}
