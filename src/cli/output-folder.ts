import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from './usage-error.ts';

/** Makes the folder of --out and finds out, before any work, whether the results can land there.
 * @param files that will be written, by name */
export function openOutput(folder: string, files: readonly string[]): void {
  if (folder === '') throw new UsageError('--out is empty, expected the name of a folder');
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const isFile = code === 'EEXIST' || code === 'ENOTDIR';
    const reason = isFile ? 'a file stands in its place' : String(code);
    throw new UsageError(`cannot write into --out ${folder}: ${reason}`, { cause });
  }
  for (const file of files) {
    const path = join(folder, file);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory()) throw new UsageError(`${path} is a folder, and a file is to be written there`);
  }
}
