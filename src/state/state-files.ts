import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** What lies in a state folder: `log-N.bin` begins where `snapshot-N.bin` was taken; N rises. */
export type StateFile = 'log' | 'snapshot';

const digits = 8;

export function pathOf(folder: string, kind: StateFile, number: number): string {
  return join(folder, `${kind}-${String(number).padStart(digits, '0')}.bin`);
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

/** Makes a new or renamed file outlast a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

export async function removeFiles(
  folder: string,
  kind: StateFile,
  numbers: readonly number[],
): Promise<void> {
  for (const number of numbers) await rm(pathOf(folder, kind, number), { force: true });
}
