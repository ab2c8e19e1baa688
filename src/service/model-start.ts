import { type Engine, loadModel } from '../engine/engine.ts';
import { readModelFile } from '../model/format.ts';
import type { Log } from './log.ts';
import {
  checkModel,
  checkTrusted,
  isVerdict,
  ModelRefusedError,
  type ModelRules,
  modelIdOf,
} from './model-checks.ts';
import { keepModel } from './model-copy.ts';
import type { ModelRecord, ModelShelf } from './model-shelf.ts';
import type { SigningKey } from './signing-keys.ts';

export interface StartOptions extends Omit<ModelRules, 'highestRelease'> {
  /** Of the config's model file. */
  readonly bytes: Uint8Array;
  readonly shelf: ModelShelf;
  readonly log: Pick<Log, 'error'>;
}

export interface StartModel {
  readonly engine: Engine;
  /** With this choice in it. */
  readonly record: ModelRecord;
  /** Puts the record on disk, once there is a service of it.
   * @throws the error of the disk */
  remember(): void;
}

interface Served {
  readonly bytes: Uint8Array;
  readonly engine: Engine;
}

/** The model that a service starts with: the config's file when it is another one than at the last look, or else the one
 * that served last. Until it is remembered the shelf is held by this process: a rollback meanwhile would be undone.
 * @throws ModelFormatError, ModelRefusedError, SignatureError when there is none to serve; the error of the disk where it cannot
 * be read: the next start may find it */
export async function chooseStartModel(options: StartOptions): Promise<StartModel> {
  const { bytes, shelf, log } = options;
  const record = shelf.read();
  const file = readModelFile(bytes);
  const id = modelIdOf(file.modelBytes);
  const refusal = refusalOf(record?.highestRelease ?? 0);
  const isNew = record?.seenFile !== id;
  if (record === undefined || (isNew && refusal === undefined)) {
    if (refusal !== undefined) throw refusal;
    return startWith(await readFile(), {
      serving: id,
      previous: record?.serving === id ? record.previous : record?.serving,
      highestRelease: file.model.release,
      seenFile: id,
      seenTopic: record?.seenTopic,
    });
  }
  const { serving, previous } = record;
  const served = serving === id && refusal === undefined ? await readFile() : await loadServed(serving);
  if (served === undefined) {
    // an older release is better than none
    const reason = refusalOf(0);
    if (reason !== undefined) throw reason;
    // it may be wanted back: by a rollback, or once more by the topic when the keys are mended
    const kept = { previous: serving === id ? previous : serving, seenTopic: undefined };
    return startWith(await readFile(), { ...record, ...kept, serving: id, seenFile: id });
  }
  if (refusal !== undefined && isNew) {
    log.error({ id, reason: refusal.message }, 'refused the model of the config; the one before serves on');
  }
  // one that is refused is looked at again by the next start
  return startWith(served, record);

  async function readFile(): Promise<Served> {
    return { bytes, engine: await loadModel(bytes) };
  }

  /** undefined where the disk has lost it, or it is not trusted any more. */
  async function loadServed(wanted: string): Promise<Served | undefined> {
    try {
      return await loadKept(shelf, wanted, options.keys);
    } catch (error) {
      const reason = (error as Error).message;
      if (!isVerdict(error)) {
        const fix = 'nothing was changed; start again, or remove that file to serve that of the config';
        throw new Error(`the model that served last: ${reason}; ${fix}`, { cause: error });
      }
      log.error({ id: wanted, reason }, 'the model that served last cannot serve; that of the config does');
      return undefined;
    }
  }

  function refusalOf(highestRelease: number): Error | undefined {
    try {
      checkModel(file, { ...options, highestRelease });
      return undefined;
    } catch (error) {
      if (isVerdict(error)) return error;
      throw error;
    }
  }

  function startWith({ bytes: served, engine }: Served, next: ModelRecord): StartModel {
    return {
      engine,
      record: next,
      remember() {
        keepModel(options, next.serving, served);
        shelf.write(next);
      },
    };
  }
}

/** A model of the shelf that may serve.
 * @throws ModelRefusedError where it may not, or the error of the disk; both name its file */
export async function loadKept(
  shelf: Pick<ModelShelf, 'load' | 'fileOf'>,
  id: string,
  keys: readonly SigningKey[],
): Promise<Served> {
  try {
    const bytes = shelf.load(id);
    if (bytes === undefined) throw new ModelRefusedError('the file is gone');
    const engine = await loadModel(bytes);
    if (engine.id !== id) throw new ModelRefusedError(`it is another model, ${engine.id.slice(0, 16)}`);
    checkTrusted(readModelFile(bytes), keys);
    return { bytes, engine };
  } catch (error) {
    if (!isVerdict(error)) throw error;
    throw new ModelRefusedError(`${shelf.fileOf(id)}: ${error.message}`, { cause: error });
  }
}
