import { type FSWatcher, readFileSync, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { MAX_FILE_BYTES } from '../model/format.ts';
import { ModelRefusedError } from './model-checks.ts';

/** A file is written when nothing has happened to it for that long: half of one is no model. */
const quietMs = 1_000;

/** Calls `onChange` when the file has changed and then rested. Its folder is watched, since a file is best replaced by a rename.
 * @throws the error of the system where nothing can be watched
 * @returns what stops it */
export function watchModelFile(path: string, onChange: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const name = basename(path);
  const watcher: FSWatcher = watch(dirname(path), { persistent: false }, (_, changed) => {
    if (changed !== null && changed !== name) return;
    clearTimeout(timer);
    timer = setTimeout(onChange, quietMs);
  });
  // a folder that goes away: there is nothing left to watch
  watcher.on('error', () => watcher.close());
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}

/** @throws ModelRefusedError for a file that cannot be read, or is larger than any model */
export function readModelBytes(path: string): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size > MAX_FILE_BYTES)
      throw new ModelRefusedError(`${path} has ${size} bytes, expected at most ${MAX_FILE_BYTES}`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof ModelRefusedError) throw error;
    throw new ModelRefusedError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
