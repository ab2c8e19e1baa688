import { existsSync } from 'node:fs';
import { loadServiceConfig } from '../config/service.ts';
import type { Engine } from '../engine/engine.ts';
import { readModelFile } from '../model/format.ts';
import { modelIdOf } from '../service/model-checks.ts';
import { readModelBytes } from '../service/model-file.ts';
import { type ModelShelf, openModelShelf } from '../service/model-shelf.ts';
import { loadKept } from '../service/model-start.ts';
import { lockFolder } from '../state/lock.ts';
import type { Report, RollbackArguments, Terminal } from './command.ts';
import { readInputFile } from './input-file.ts';
import { readTrustedKeys, type TrustedKey } from './trusted-keys.ts';
import { UsageError } from './usage-error.ts';

/** Puts the model before back in place: the next start serves it. */
export async function runRollback({ config: path }: RollbackArguments, terminal: Terminal): Promise<Report> {
  const config = loadServiceConfig(new TextDecoder().decode(readInputFile(path, 'config')), path);
  const { stateDir, name, models } = config;
  if (!existsSync(stateDir)) throw new UsageError(`there is no state folder ${stateDir}: nothing was served`);
  const noneBefore = new UsageError(
    `${stateDir} has no model before the one that serves: there is nowhere to go back to`,
  );
  const shelf = openModelShelf(stateDir, name, ({ message }) =>
    terminal.warn(`a model that is no longer needed stays on disk: ${message}`),
  );
  if (shelf.read() === undefined) throw noneBefore;
  // a service in the middle of its life would write over it; with `commit: off` it holds its models alone
  const locks = [await lockFolder(stateDir)];
  try {
    locks.push(await shelf.hold());
    const record = shelf.read();
    if (record?.previous === undefined) throw noneBefore;
    const { serving, previous } = record;
    const { model } = await loadPrevious(shelf, previous, readTrustedKeys(models.trust));
    const { release, version } = model;
    shelf.write({
      ...record,
      serving: previous,
      previous: serving,
      candidate: undefined,
      highestRelease: release,
      seenFile: idOfFile(config.model) ?? record.seenFile,
    });
    return {
      summary: { serving: previous, release, version, before: serving },
      text: `${model.name} ${version} (release ${release}, ${previous.slice(0, 16)}) serves from the next start, in place of ${serving.slice(0, 16)}`,
    };
  } finally {
    for (const lock of locks) await lock.release();
  }
}

/** What the config names now is not to come before the model that is gone back to. */
function idOfFile(path: string): string | undefined {
  try {
    return modelIdOf(readModelFile(readModelBytes(path)).modelBytes);
  } catch {
    // the start says what is wrong with it
    return undefined;
  }
}

/** The next start has to take it.
 * @throws UsageError where it would not */
async function loadPrevious(shelf: ModelShelf, id: string, keys: readonly TrustedKey[]): Promise<Engine> {
  try {
    return (await loadKept(shelf, id, keys)).engine;
  } catch (error) {
    const fix = 'nothing was changed; put that model there again, or sign it there (cellstream sign)';
    throw new UsageError(`cannot go back to ${(error as Error).message}; ${fix}`, { cause: error });
  }
}
