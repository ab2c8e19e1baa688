import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parseSnapshot } from '../state/snapshot.ts';
import { UsageError } from './usage-error.ts';

/** Finds out, before any work, whether states can be written there. What stands in the place may be replaced where it is an
 * earlier export.
 * @throws UsageError */
export function checkExportFile(path: string): void {
  // an earlier export by its bytes, but a service starts with it, or removes it
  if (/^(log|snapshot)-\d+\.bin(\.new)?$/.test(basename(path))) {
    throw new UsageError(`${path} has the name of a service's own file; name another one such as some.state`);
  }
  if (/[\\/]$/.test(path)) throw new UsageError(`${path} names a folder, expected the name of a file`);
  checkFolder(path);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (found.isDirectory()) throw new UsageError(`${path} is a folder, expected the name of a file`);
  try {
    parseSnapshot(readFileSync(path), path);
  } catch (cause) {
    throw new UsageError(`${path} is there already and holds no states, so it stays; name another file`, {
      cause,
    });
  }
}

function checkFolder(path: string): void {
  const folder = dirname(path);
  try {
    // also where there is a file of that name in the way
    accessSync(`${folder}/.`, constants.W_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT'
        ? `there is no folder ${folder}; make it first`
        : code === 'ENOTDIR'
          ? `${folder} is no folder`
          : `${folder} takes no files (${code})`;
    throw new UsageError(`cannot write ${path}: ${reason}`, { cause });
  }
}
