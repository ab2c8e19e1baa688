import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tidy } from './disk-error.ts';

/** What lies in a state folder: `log-N.bin` begins where `snapshot-N.bin` was taken; N rises. */
export type StateFile = 'log' | 'snapshot';

const digits = 8;

export function pathOf(folder: string, kind: StateFile, number: number): string {
  return join(folder, `${kind}-${String(number).padStart(digits, '0')}.bin`);
}

const pieceBytes = 2 ** 30;

/** The bytes of a file: of more than 2 GiB too, where `readFile` gives up. */
export async function readWhole(path: string): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.allocUnsafe(size);
    let done = 0;
    while (done < size) {
      const { bytesRead } = await handle.read(bytes, done, Math.min(pieceBytes, size - done), done);
      // it has become shorter
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  } finally {
    await handle.close();
  }
}

/** The numbers of a kind's files, ascending. */
export async function listNumbers(folder: string, kind: StateFile): Promise<number[]> {
  const pattern = new RegExp(`^${kind}-(\\d{${digits},})\\.bin$`);
  const names = await readdir(folder);
  return names
    .map((name) => pattern.exec(name))
    .flatMap((match) => (match ? [Number(match[1])] : []))
    .sort((left, right) => left - right);
}

/** Removes files that a kill has left half written, where the disk lets it: nobody reads them. */
export async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (/^(log|snapshot)-\d+\.bin\.new$/.test(name)) await tidy(rm(join(folder, name), { force: true }));
  }
}

/** Makes a new or renamed file outlast a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

/** A kill at any moment leaves the old file or the new one. */
export async function replaceFile(path: string, parts: Iterable<Buffer>): Promise<void> {
  const handle = await open(`${path}.new`, 'w');
  try {
    for (const part of parts) await handle.writeFile(part);
    await handle.sync();
    await handle.close();
    await rename(`${path}.new`, path);
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(`${path}.new`, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Removes what no recovery needs: all but the `needed` snapshots and the two newest, and the log before the oldest of them. More
 * of the log stays, up to `keptBytes`: other weights warm up on it.
 * @param needed by number; 0 needs the whole log */
export async function removeOld(folder: string, needed: readonly number[], keptBytes: number): Promise<void> {
  const snapshots = await listNumbers(folder, 'snapshot');
  const staying = [...needed, ...snapshots.slice(-2)];
  for (const number of snapshots) {
    if (!staying.includes(number)) await rm(pathOf(folder, 'snapshot', number), { force: true });
  }
  const oldest = Math.min(...staying);
  let bytes = 0;
  for (const number of (await listNumbers(folder, 'log')).reverse()) {
    const path = pathOf(folder, 'log', number);
    bytes += (await stat(path)).size;
    if (number < oldest && bytes > keptBytes) await rm(path, { force: true });
  }
}
