import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type FolderLock, lockFolder } from '../state/lock.ts';

/** What a device remembers of its models. Ids are those of model files. */
export interface ModelRecord {
  readonly serving: string;
  /** The one before: where a rollback goes. */
  readonly previous?: string | undefined;
  /** The one that runs in the shadow of `serving`. */
  readonly candidate?: string | undefined;
  /** The highest release that was served; an explicit rollback lowers it. */
  readonly highestRelease: number;
  /** What the file of the config, and the topic, held when they were looked at last: nobody wants the same one judged anew. */
  readonly seenFile?: string | undefined;
  readonly seenTopic?: string | undefined;
}

/** The models of one service in its state folder: the record says which of them serves. */
export interface ModelShelf {
  /** undefined before the first start.
   * @throws the error of the disk: taken for a first start it would lose the models */
  read(): ModelRecord | undefined;
  /** Replaces the record; a kill at any moment leaves this one or the one before. Models that it does not name are removed, as
   * far as the disk lets them.
   * @throws the error of the disk, which then has the record before */
  write(record: ModelRecord): void;
  /** The bytes of a model file, for a later record. */
  keep(id: string, bytes: Uint8Array): void;
  fileOf(id: string): string;
  /** undefined where it is gone.
   * @throws the error of the disk, which says nothing about the model */
  load(id: string): Uint8Array | undefined;
  /** Holds the models for one process, where nothing holds the state folder.
   * @throws StateError when another process has them */
  hold(): Promise<FolderLock>;
}

const recordName = 'models.json';
const extension = '.pb';
/** What a shelf calls its models, whole or half written: other files there are not its own. */
const modelName = /^[0-9a-f]{64}\.pb(\.new)?$/;

/** Makes nothing on disk before the first model is kept, or it is held.
 * @param folder the state folder, which has to be there by then
 * @param onLitter told once of a model that is no longer needed and cannot be removed */
export function openModelShelf(
  folder: string,
  service: string,
  onLitter: (error: Error) => void = () => {},
): ModelShelf {
  const shelf = join(folder, `models-${service}`);
  const fileOf = (id: string) => join(shelf, `${id}${extension}`);

  function makeShelf(): void {
    try {
      mkdirSync(shelf);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }

  function replace(path: string, bytes: string | Uint8Array): void {
    const handle = openSync(`${path}.new`, 'w');
    try {
      writeFileSync(handle, bytes);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(`${path}.new`, path);
    syncFolder(shelf);
  }

  const litter = new Set<string>();

  function remove(name: string): void {
    try {
      rmSync(join(shelf, name), { force: true });
    } catch (error) {
      if (!litter.has(name)) onLitter(error as Error);
      litter.add(name);
    }
  }

  return {
    read: () => readRecord(join(shelf, recordName)),
    write(record) {
      replace(join(shelf, recordName), `${JSON.stringify(record)}\n`);
      const named = [record.serving, record.previous, record.candidate].map((id) => `${id}${extension}`);
      for (const name of listNames(shelf)) if (modelName.test(name) && !named.includes(name)) remove(name);
    },
    keep(id, bytes) {
      makeShelf();
      replace(fileOf(id), bytes);
    },
    fileOf,
    load: (id) => readIfThere(fileOf(id)),
    async hold() {
      makeShelf();
      return await lockFolder(shelf);
    },
  };
}

/** undefined where it is gone.
 * @throws any other error of the disk */
function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new Error(`${path} cannot be read: ${message}`, { cause: error });
  }
}

function readRecord(path: string): ModelRecord | undefined {
  const bytes = readIfThere(path);
  if (bytes === undefined) return undefined;
  try {
    const record = JSON.parse(new TextDecoder().decode(bytes)) as ModelRecord | null;
    const isOne = typeof record?.serving === 'string' && Number.isFinite(record.highestRelease);
    return isOne ? (record as ModelRecord) : undefined;
  } catch {
    // somebody edited it: the config's model serves
    return undefined;
  }
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // the next record is tidied up after again
    return [];
  }
}

/** A renamed file outlasts a power cut only then. */
function syncFolder(folder: string): void {
  // Windows opens no folders
  try {
    const handle = openSync(folder, 'r');
    fsyncSync(handle);
    closeSync(handle);
  } catch {}
}
