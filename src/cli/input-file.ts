import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { nearestName } from '../math/nearest.ts';
import { UsageError } from './usage-error.ts';

/** The bytes of a file that the user named; `what` says in messages what it should be, such as `model`. */
export function readInputFile(path: string, what: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new UsageError(`there is no ${what} ${path}${suggestFile(path)}`, { cause });
    if (code === 'EISDIR') throw new UsageError(`${path} is a folder, expected a ${what}`, { cause });
    throw new UsageError(`cannot read the ${what} ${path}: ${message}`, { cause });
  }
}

function suggestFile(path: string): string {
  const folder = dirname(path);
  try {
    const nearest = nearestName(basename(path), readdirSync(folder));
    return nearest === undefined ? '' : `; did you mean ${join(folder, nearest)}?`;
  } catch {
    return `; there is no folder ${folder} either`;
  }
}
