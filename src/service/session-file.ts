import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StateFolderError } from '../state/state-error.ts';

/** What a broker's persistent session was last asked for. The broker keeps it, whatever the config says later. */
export interface SessionRecord {
  readonly clientId: string;
  readonly filters: readonly string[];
}

/** One for each client: several services may share a folder. */
function pathOf(folder: string, clientId: string): string {
  return join(folder, `session-${encodeURIComponent(clientId)}.json`);
}

/** What an earlier start leaves to this one. */
export interface EarlierSession {
  /** The broker should have kept a session. */
  readonly isKnown: boolean;
  /** The filters that the session still holds and nobody wants any more. */
  readonly goneFilters: readonly string[];
}

export function readSession(folder: string, { clientId, filters }: SessionRecord): EarlierSession {
  const before = readRecord(pathOf(folder, clientId));
  if (before === undefined) return { isKnown: false, goneFilters: [] };
  // at another broker there is nothing to give up, and asking for that does no harm
  return { isKnown: true, goneFilters: before.filters.filter((filter) => !filters.includes(filter)) };
}

/** Makes the folder; the one around it has to be there.
 * @throws StateFolderError where it is not */
export function openStateFolder(folder: string): void {
  try {
    // not `recursive`: below /proc that never ends
    mkdirSync(folder);
  } catch (error) {
    // a read-only disk may refuse before it looks whether the folder is there
    if (existsSync(folder)) return;
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    const around = dirname(folder);
    const found = code === 'ENOENT' ? `there is no folder ${around}` : `${around} is no folder`;
    throw new StateFolderError(
      `cannot make the state folder ${folder}: ${found}; make that one, or name another state.dir`,
      { cause: error },
    );
  }
}

/** Replaces the record; a kill in the middle leaves the one before. */
export function writeRecord(folder: string, record: SessionRecord): void {
  const path = pathOf(folder, record.clientId);
  writeFileSync(`${path}.new`, `${JSON.stringify(record)}\n`);
  renameSync(`${path}.new`, path);
}

function readRecord(path: string): SessionRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as SessionRecord | null;
    return Array.isArray(record?.filters) ? record : undefined;
  } catch {
    // the first start, or a file that somebody edited: there is nothing to compare with
    return undefined;
  }
}
