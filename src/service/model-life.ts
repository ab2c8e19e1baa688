import { loadModel } from '../engine/engine.ts';
import { type ModelFile, readModelFile } from '../model/format.ts';
import { createThrottle } from './complaints.ts';
import { untilDiskTakes } from './disk-retry.ts';
import type { Log } from './log.ts';
import { createModelAnswers, type ModelAnswers } from './model-answers.ts';
import {
  checkModel,
  checkSameShape,
  checkTrusted,
  isVerdict,
  ModelRefusedError,
  type ModelRules,
  modelIdOf,
} from './model-checks.ts';
import { keepModel } from './model-copy.ts';
import { readModelBytes, watchModelFile } from './model-file.ts';
import { listenForModels } from './model-message.ts';
import { createModelQueue, type Offer } from './model-queue.ts';
import type { ModelRecord, ModelShelf } from './model-shelf.ts';
import type { StartModel } from './model-start.ts';
import { createModelTrial, type KeptRecord, type ModelTrial } from './model-trial.ts';
import type { Service } from './service.ts';
import { SignatureError } from './signatures.ts';

export interface ModelLifeOptions extends Omit<ModelRules, 'highestRelease'> {
  readonly service: Pick<Service, 'link' | 'models' | 'engine' | 'openShadow'>;
  readonly shelf: ModelShelf;
  /** The choice of the start: new models wait until it is on disk. */
  readonly start: Pick<StartModel, 'record' | 'remember'>;
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
  const { service, shelf, start, path, topic, log } = options;
  const { link, models } = service;
  const ending = new AbortController();
  const { signal } = ending;
  const record = openRecord(options);
  const answers = createModelAnswers({ link, models, topic, log, signal });
  const queue = createModelQueue({ consider: (offer) => consider(offer, parts), models, log, signal });
  const trial = createModelTrial({ ...options, record, answers, enqueue: queue.enqueue, signal });
  const parts: LifeParts = {
    ...{ options, record, answers, trial, signal },
    ...{ dismissed: new Map(), throttle: createThrottle() },
  };
  const offerFile = (isAsked: boolean) =>
    queue.offer({ bytes: () => readModelBytes(path), from: 'seenFile', isAsked });
  queue.enqueue(() => rememberStart(options, signal));
  const detach = [
    listenForModels(link, topic, queue.offer),
    answers.stop,
    watchFile(options, () => offerFile(false)),
  ];
  const { candidate } = start.record;
  if (candidate !== undefined) {
    queue.offer({ bytes: () => loadCandidate(shelf, candidate), from: 'shelf', isAsked: true });
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

async function rememberStart({ start, log }: ModelLifeOptions, signal: AbortSignal): Promise<void> {
  let isLate = false;
  const isTaken = await untilDiskTakes(start.remember, {
    onTrouble({ message: reason }) {
      isLate = true;
      log.error({ reason }, 'new models wait until the disk takes the record of this one');
    },
    signal,
  });
  if (isLate && isTaken) log.info({}, 'the disk has the record of this model: new ones are looked at');
}

/** @throws ModelRefusedError where it is gone, or the error of the disk */
function loadCandidate(shelf: ModelShelf, id: string): Uint8Array {
  const bytes = shelf.load(id);
  if (bytes === undefined) {
    throw new ModelRefusedError(
      `${shelf.fileOf(id)}, which was in the shadow, is gone: it is judged when it comes again`,
    );
  }
  return bytes;
}

function openRecord({ shelf, start, log }: ModelLifeOptions): KeptRecord {
  let now = start.record;

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
      const names = Object.keys(changes) as (keyof ModelRecord)[];
      if (names.every((name) => now[name] === changes[name])) return;
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
  /** The digest of the newest file that was refused, of each place: no reason to touch the disk. */
  readonly dismissed: Map<Offer['from'], string>;
  /** Of verdicts on what came on the topic: they are written down no faster. */
  readonly throttle: ReturnType<typeof createThrottle>;
}

/** What is known of a model so far; null is unknown. */
interface Found {
  /** Of the bytes of the file where it is no model. */
  readonly id: string | null;
  readonly release: number | null;
  /** Of the file: signatures make another one of the same model. */
  readonly digest: string | null;
}

async function consider(offer: Offer, parts: LifeParts): Promise<void> {
  if (parts.signal.aborted) return;
  let found: Found = { id: null, release: null, digest: null };
  try {
    const bytes = offer.bytes();
    const digest = modelIdOf(bytes);
    found = { id: digest, release: null, digest };
    if (isDismissed(found, offer, parts)) return;
    const file = readModelFile(bytes);
    const id = modelIdOf(file.modelBytes);
    found = { id, release: file.model.release, digest };
    // before it is kept, or answered, or changes anything else
    checkTrusted(file, parts.options.keys);
    if (isOnShelf(id, parts)) keepModel(parts.options, id, bytes);
    if (!isSeen(id, offer, parts)) await judge(file, { id, bytes, from: offer.from }, parts);
  } catch (error) {
    if (!parts.signal.aborted) refuse(error as Error, { ...found, from: offer.from }, parts);
  }
}

/** Nobody wants the same one judged anew. */
function isDismissed({ digest }: Found, { from, isAsked }: Offer, { dismissed }: LifeParts): boolean {
  return !isAsked && dismissed.get(from) === digest;
}

/** Its copy there gets the signatures of this one: a deployer adds those of a new key. */
function isOnShelf(id: string, { record: { now } }: LifeParts): boolean {
  return [now.serving, now.previous, now.candidate].includes(id);
}

/** One that the record has in the shadow, and that is not there, could not be judged. */
function isSeen(id: string, { from, isAsked }: Offer, { record: { now }, trial }: LifeParts): boolean {
  if (from === 'shelf' || isAsked) return false;
  return now[from] === id && (now.candidate !== id || trial.id === id);
}

interface Judged {
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly from: Offer['from'];
}

/** @throws ModelRefusedError, and whatever else is a reason to refuse it */
async function judge(
  file: ModelFile,
  { id, bytes, from }: Judged,
  { options, record, answers, trial, signal }: LifeParts,
): Promise<void> {
  const { service } = options;
  const { release } = file.model;
  const seen = from === 'shelf' ? {} : { [from]: id };
  if (id === service.engine.id) {
    trial.drop('the model that serves was put back');
    answers.say({ id, release, status: 'promoted', reason: 'it serves already' });
    return record.note({ ...seen, candidate: undefined });
  }
  if (id === trial.id) {
    answers.say({ id, release, status: 'shadow' });
    return record.note(seen);
  }
  checkModel(file, { ...options, highestRelease: record.now.highestRelease });
  checkSameShape(service.engine.model, file.model);
  const engine = await loadModel(bytes);
  // the state folder is no longer this service's once it has stopped
  if (signal.aborted) return;
  keepModel(options, id, bytes);
  record.write({ ...seen, candidate: id });
  trial.drop('a newer model took its place in the shadow');
  answers.say({ id, release, status: 'accepted' });
  await trial.open({ id, release, shadow: await service.openShadow(engine) });
}

function refuse(
  error: Error,
  { id, release, digest, from }: Found & Pick<Offer, 'from'>,
  { record, answers, dismissed, throttle }: LifeParts,
): void {
  // the topic may be full of them
  answers.refuse({ id, release }, error.message, from === 'seenTopic' ? error.name : undefined);
  if (!isVerdict(error)) return;
  if (digest !== null) dismissed.set(from, digest);
  if (from === 'shelf') record.note(withoutCandidate(record.now));
  // nothing about the model itself is known then
  if (release === null || error instanceof SignatureError) return;
  // a restart looks at the file anew, and may take what a running service may not
  if (from === 'seenTopic' && throttle(from) !== undefined) record.note({ seenTopic: id as string });
  if (record.now.candidate === id) record.note({ candidate: undefined });
}

/** What cannot go on is judged when it comes again. */
function withoutCandidate({ candidate, seenFile, seenTopic }: ModelRecord): Partial<ModelRecord> {
  return {
    candidate: undefined,
    ...(seenFile === candidate ? { seenFile: undefined } : {}),
    ...(seenTopic === candidate ? { seenTopic: undefined } : {}),
  };
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
