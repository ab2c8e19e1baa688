import { loadModel } from '../engine/engine.ts';
import { type ModelFile, readModelFile } from '../model/format.ts';
import type { Log } from './log.ts';
import { createModelAnswers, type ModelAnswers } from './model-answers.ts';
import { checkModel, checkSameShape, type ModelRules, modelIdOf } from './model-checks.ts';
import { readModelBytes, watchModelFile } from './model-file.ts';
import { listenForModels } from './model-message.ts';
import { createModelQueue, type Offer } from './model-queue.ts';
import type { ModelRecord, ModelShelf } from './model-shelf.ts';
import { createModelTrial, type KeptRecord, type ModelTrial } from './model-trial.ts';
import type { Service } from './service.ts';

export interface ModelLifeOptions extends Omit<ModelRules, 'highestRelease'> {
  readonly service: Pick<Service, 'link' | 'models' | 'engine' | 'openShadow'>;
  /** It has a record. */
  readonly shelf: ModelShelf;
  /** The config's model file. */
  readonly path: string;
  readonly topic: string | undefined;
  /** 0: a new model serves at once. */
  readonly shadowMs: number;
  readonly log: Log;
}

/** What becomes of the models that come while a service runs. */
export interface ModelLife {
  /** Looks at the file now, whether it has changed or not. */
  reload(): void;
  /** Takes no more models. Resolves when what was under way has ended, which it does once the service closes. */
  stop(): Promise<void>;
}

export function startModelLife(options: ModelLifeOptions): ModelLife {
  const { service, shelf, path, topic, log } = options;
  const { link, models } = service;
  const ending = new AbortController();
  const { signal } = ending;
  const record = openRecord(shelf, log);
  const answers = createModelAnswers({ link, models, topic, log, signal });
  const queue = createModelQueue({ consider: (offer) => consider(offer, parts), log, signal });
  const trial = createModelTrial({ ...options, record, answers, enqueue: queue.enqueue, signal });
  const parts: LifeParts = { options, record, answers, trial, signal };
  const offerFile = (isAsked: boolean) =>
    queue.offer({ bytes: () => readModelBytes(path), from: 'seenFile', isAsked });
  const detach = [
    listenForModels(link, topic, queue.offer),
    answers.stop,
    watchFile(options, () => offerFile(false)),
  ];
  const resumed = record.now.candidate;
  if (resumed !== undefined) {
    queue.offer({ bytes: () => shelf.load(resumed), from: 'shelf', isAsked: true });
  }
  return {
    reload: () => offerFile(true),
    async stop() {
      ending.abort();
      trial.stop();
      for (const end of detach) end();
      await queue.emptied();
    },
  };
}

function openRecord(shelf: ModelShelf, log: Log): KeptRecord {
  let now = shelf.read() as ModelRecord;

  function write(changes: Partial<ModelRecord>): void {
    const next = { ...now, ...changes };
    shelf.write(next);
    now = next;
  }

  return {
    get now() {
      return now;
    },
    write,
    note(changes) {
      try {
        write(changes);
      } catch (error) {
        log.error(
          { reason: (error as Error).message },
          'what became of a model is not on disk: the next start may judge it again',
        );
      }
    },
  };
}

interface LifeParts {
  readonly options: ModelLifeOptions;
  readonly record: KeptRecord;
  readonly answers: ModelAnswers;
  readonly trial: ModelTrial;
  /** Aborted when the service stops. */
  readonly signal: AbortSignal;
}

async function consider({ bytes: read, from, isAsked }: Offer, parts: LifeParts): Promise<void> {
  const { options, record, answers, trial, signal } = parts;
  if (signal.aborted) return;
  let [id, release]: [string | null, number | null] = [null, null];
  try {
    const bytes = read();
    id = modelIdOf(bytes);
    const file = readModelFile(bytes);
    id = modelIdOf(file.modelBytes);
    release = file.model.release;
    if (from !== 'shelf' && !isAsked && record.now[from] === id) return;
    if (from !== 'shelf') record.note({ [from]: id });
    if (id === options.service.engine.id) {
      if (trial.id !== undefined) {
        trial.drop('the model that serves was put back');
        record.note({ candidate: undefined });
      }
      return answers.say({ id, release, status: 'promoted', reason: 'it serves already' });
    }
    if (id === trial.id) return answers.say({ id, release, status: 'shadow' });
    await accept(file, { id, bytes }, parts);
  } catch (error) {
    const unreadable = release === null ? id : null;
    if (from !== 'shelf' && unreadable !== null && !isAsked && record.now[from] === unreadable) return;
    answers.refuse(id, release, (error as Error).message);
    if (signal.aborted) return;
    if (from !== 'shelf' && unreadable !== null) record.note({ [from]: unreadable });
    if (from === 'shelf' || record.now.candidate === id) record.note({ candidate: undefined });
  }
}

/** @throws ModelRefusedError, and whatever else is a reason to refuse it */
async function accept(
  file: ModelFile,
  { id, bytes }: { readonly id: string; readonly bytes: Uint8Array },
  { options, record, answers, trial, signal }: LifeParts,
): Promise<void> {
  const { service, shelf } = options;
  const { release } = file.model;
  checkModel(file, { ...options, highestRelease: record.now.highestRelease });
  checkSameShape(service.engine.model, file.model);
  const engine = await loadModel(bytes);
  // the state folder is no longer this service's once it has stopped
  if (signal.aborted) return;
  shelf.keep(id, bytes);
  record.write({ candidate: id });
  trial.drop('a newer model took its place in the shadow');
  answers.say({ id, release, status: 'accepted' });
  await trial.open({ id, release, shadow: await service.openShadow(engine) });
}

/** Where nothing can be watched there is still SIGHUP. */
function watchFile({ path, log }: ModelLifeOptions, onChange: () => void): () => void {
  try {
    return watchModelFile(path, onChange);
  } catch (error) {
    log.warn({ reason: (error as Error).message }, `${path} is not watched; SIGHUP looks at it`);
    return () => {};
  }
}
