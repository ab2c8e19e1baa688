import { type Engine, loadModel } from '../engine/engine.ts';
import { readModelFile } from '../model/format.ts';
import type { Log } from './log.ts';
import { checkModel, ModelRefusedError, type ModelRules, modelIdOf } from './model-checks.ts';
import type { ModelRecord, ModelShelf } from './model-shelf.ts';
import { checkSigned, SignatureError } from './signatures.ts';

export interface StartOptions extends Omit<ModelRules, 'highestRelease'> {
  /** Of the config's model file. */
  readonly bytes: Uint8Array;
  readonly shelf: ModelShelf;
  readonly log: Pick<Log, 'error'>;
}

export interface StartModel {
  readonly engine: Engine;
  /** Remembers the choice, once there is a service of it. */
  remember(): void;
}

/** The model that a service starts with: the config's file when it is another one than at the last look, or else the one
 * that served last. Until it is remembered the shelf is held by this process: a rollback meanwhile would be undone.
 * @throws ModelFormatError, ModelRefusedError, SignatureError when there is none to serve */
export async function chooseStartModel(options: StartOptions): Promise<StartModel> {
  const { bytes, shelf, log } = options;
  const record = shelf.read();
  const file = readModelFile(bytes);
  const id = modelIdOf(file.modelBytes);
  const refusal = refusalOf();
  if (record === undefined || (record.seenFile !== id && refusal === undefined)) {
    if (refusal !== undefined) throw refusal;
    return await startWith(bytes, {
      serving: id,
      previous: record?.serving === id ? record.previous : record?.serving,
      highestRelease: file.model.release,
      seenFile: id,
      seenTopic: record?.seenTopic,
    });
  }
  if (refusal !== undefined && record.seenFile !== id) {
    log.error({ id, reason: refusal.message }, 'refused the model of the config; the one before serves on');
  }
  const served = record.serving === id ? bytes : loadServed(record.serving);
  if (served === undefined) return await startWith(bytes, { ...record, serving: id, seenFile: id });
  return await startWith(served, { ...record, seenFile: id });

  /** undefined where the disk has lost it. */
  function loadServed(wanted: string): Uint8Array | undefined {
    try {
      const found = shelf.load(wanted);
      if (modelIdOf(readModelFile(found).modelBytes) !== wanted) throw new Error('it is another model');
      return found;
    } catch (error) {
      const reason = (error as Error).message;
      log.error({ id: wanted, reason }, 'the model that served last is lost; that of the config serves');
      return undefined;
    }
  }

  function refusalOf(): Error | undefined {
    try {
      checkModel(file, { ...options, highestRelease: record?.highestRelease ?? 0 });
      return undefined;
    } catch (error) {
      if (error instanceof ModelRefusedError || error instanceof SignatureError) return error;
      throw error;
    }
  }

  async function startWith(served: Uint8Array, next: ModelRecord): Promise<StartModel> {
    if (options.keys.length > 0) checkSigned(readModelFile(served), options.keys);
    return {
      engine: await loadModel(served),
      remember() {
        shelf.keep(next.serving, served);
        shelf.write(next);
      },
    };
  }
}
