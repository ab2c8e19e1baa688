import { setTimeout as sleep } from 'node:timers/promises';
import { loadModel } from '../engine/engine.ts';
import { readModelFile } from '../model/format.ts';
import type { Log } from './log.ts';
import { checkModel, checkSameShape, ModelRefusedError, type ModelRules, modelIdOf } from './model-checks.ts';
import { readModelBytes, watchModelFile } from './model-file.ts';
import type { Shadow } from './model-road.ts';
import type { ModelRecord, ModelShelf } from './model-shelf.ts';
import type { Service } from './service.ts';
import { answerTopicOf } from './subscriptions.ts';

export interface ModelLifeOptions extends Omit<ModelRules, 'highestRelease'> {
  readonly service: Service;
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

/** As it is published for whoever has sent a model. */
export interface ModelAnswer {
  /** null where it was too large to look at. */
  readonly id: string | null;
  readonly release: number | null;
  readonly status: 'accepted' | 'shadow' | 'promoted' | 'refused';
  readonly reason?: string;
}

/** Of a model that comes by MQTT. */
export const mostTopicBytes = 256 * 1024;

/** How much worse than the old model's a new model's live error may be: less than that is noise. */
const margin = 1.05;
/** Forecasts of each that are compared at least, however long that takes. */
const fewestPairs = 30;
const lookAgainMs = 1_000;
const longestWaitMs = 60_000;
/** Before a disk that takes nothing is tried again. */
const saveAgainMs = 5_000;

interface Offer {
  readonly bytes: () => Uint8Array;
  readonly from: 'seenFile' | 'seenTopic' | 'shelf';
  /** Whether one that was looked at before is judged anew. */
  readonly isAsked: boolean;
}

/** A model that passed the checks. */
interface Candidate {
  readonly id: string;
  readonly release: number;
  readonly shadow: Shadow;
}

export function startModelLife(options: ModelLifeOptions): ModelLife {
  const { service, shelf, path, topic, shadowMs, log } = options;
  const { models, link } = service;
  let record = shelf.read() as ModelRecord;
  let last: ModelAnswer | undefined;
  let candidate: Candidate | undefined;
  let timer: NodeJS.Timeout | undefined;
  const ending = new AbortController();
  const { signal } = ending;
  const waiting = new Map<Offer['from'], Offer>();
  let queue = Promise.resolve();

  function write(changes: Partial<ModelRecord>): void {
    record = { ...record, ...changes };
    shelf.write(record);
  }

  function say(answer: ModelAnswer): void {
    last = answer;
    if (topic === undefined) return;
    // lost with the connection, it is said again at the next
    link.publish(answerTopicOf(topic), JSON.stringify(answer), { qos: 1, retain: true });
  }

  function refuse(id: string | null, release: number | null, reason: string): void {
    if (signal.aborted) return;
    models.refused++;
    log.error({ id, release, reason }, 'refused a model; the one before serves on');
    say({ id, release, status: 'refused', reason });
  }

  function enqueue(work: () => Promise<void>): void {
    queue = queue.then(work).catch((error: Error) => {
      if (!signal.aborted) log.error({ reason: error.message }, 'a model could not be taken');
    });
  }

  /** Of a place that is full of models only the newest waits. */
  function offer(offered: Offer): void {
    const { from } = offered;
    const isQueued = waiting.has(from);
    waiting.set(from, offered);
    if (isQueued) return;
    enqueue(async () => {
      const newest = waiting.get(from) as Offer;
      waiting.delete(from);
      await consider(newest);
    });
  }

  async function consider({ bytes: read, from, isAsked }: Offer): Promise<void> {
    if (signal.aborted) return;
    let [id, release]: [string | null, number | null] = [null, null];
    try {
      const bytes = read();
      id = modelIdOf(bytes);
      const file = readModelFile(bytes);
      id = modelIdOf(file.modelBytes);
      release = file.model.release;
      if (from !== 'shelf' && !isAsked && record[from] === id) return;
      if (from !== 'shelf') write({ [from]: id });
      if (id === service.engine.id) {
        if (candidate) {
          dropCandidate('the model that serves was put back');
          write({ candidate: undefined });
        }
        return say({ id, release, status: 'promoted', reason: 'it serves already' });
      }
      if (id === candidate?.id) return say({ id, release, status: 'shadow' });
      checkModel(file, { ...options, highestRelease: record.highestRelease });
      checkSameShape(service.engine.model, file.model);
      const engine = await loadModel(bytes);
      shelf.keep(id, bytes);
      dropCandidate('a newer model took its place in the shadow');
      write({ candidate: id });
      say({ id, release, status: 'accepted' });
      await open({ id, release, shadow: await service.openShadow(engine) });
    } catch (error) {
      if (from !== 'shelf' && id !== null && release === null) {
        if (!isAsked && record[from] === id) return;
        write({ [from]: id });
      }
      const isCandidate = from === 'shelf' || (id !== null && record.candidate === id);
      if (isCandidate && !signal.aborted) write({ candidate: undefined });
      refuse(id, release, (error as Error).message);
    }
  }

  function dropCandidate(reason: string): void {
    clearTimeout(timer);
    if (candidate === undefined) return;
    const { id, release, shadow } = candidate;
    candidate = undefined;
    models.shadow = null;
    shadow.close();
    refuse(id, release, reason);
  }

  async function open(opened: Candidate): Promise<void> {
    if (signal.aborted) return;
    if (shadowMs === 0) return await promote(opened);
    const { id, release } = opened;
    candidate = opened;
    models.shadow = id;
    log.info({ id, release, shadowMs }, 'a new model runs in the shadow');
    say({ id, release, status: 'shadow' });
    judgeAfter(shadowMs, opened, performance.now() + shadowMs);
  }

  function judgeAfter(waitMs: number, opened: Candidate, endMs: number): void {
    timer = setTimeout(
      () => {
        const leftMs = endMs - performance.now();
        if (leftMs > 0) judgeAfter(leftMs, opened, endMs);
        else enqueue(() => judge(opened, endMs));
      },
      Math.min(waitMs, longestWaitMs),
    );
  }

  async function judge(opened: Candidate, endMs: number): Promise<void> {
    // another one has come, or the end
    if (signal.aborted || candidate !== opened) return;
    const { id, shadow } = opened;
    try {
      const { pairs, ratio } = shadow.compare();
      if (pairs < fewestPairs) return judgeAfter(lookAgainMs, opened, endMs);
      const found = `its live error is ${ratio.toFixed(3)} times that of the old model on ${pairs} forecasts`;
      if (!(ratio <= margin)) throw new ModelRefusedError(`${found}, expected at most ${margin}`);
      log.info({ id, ratio, pairs }, `promoted: ${found}`);
      await promote(opened);
    } catch (error) {
      dropCandidate((error as Error).message);
      write({ candidate: undefined });
    }
  }

  /** Until its states are on disk a restart finds the model before, with its own. */
  async function promote({ id, release, shadow }: Candidate): Promise<void> {
    const previous = service.engine.id;
    shadow.promote();
    candidate = undefined;
    models.shadow = null;
    models.promoted++;
    log.info({ id, release, previous }, 'a new model serves');
    for (;;) {
      try {
        await shadow.save(() =>
          write({
            serving: id,
            previous,
            candidate: undefined,
            highestRelease: Math.max(release, record.highestRelease),
          }),
        );
        return say({ id, release, status: 'promoted' });
      } catch (error) {
        const reason = (error as Error).message;
        log.error(
          { id, reason },
          'the new model serves, and is not yet on disk: a restart finds the one before',
        );
      }
      if (signal.aborted) return;
      await sleep(saveAgainMs, undefined, { signal }).catch(() => {});
    }
  }

  const reload = () => offer({ bytes: () => readModelBytes(path), from: 'seenFile', isAsked: true });
  const detach = [
    link.onMessage((delivery) => {
      if (delivery.topic !== topic || delivery.payload.length === 0) return;
      // a view of what the connection has read
      const bytes = delivery.payload.slice(0, mostTopicBytes + 1);
      const found = delivery.payload.length;
      offer({
        bytes() {
          if (found <= mostTopicBytes) return bytes;
          throw new ModelRefusedError(`a message of ${found} bytes, expected at most ${mostTopicBytes}`);
        },
        from: 'seenTopic',
        isAsked: !delivery.retain,
      });
    }),
    link.onChange((isConnected) => {
      if (isConnected && last) say(last);
    }),
    watchFile(options, () => offer({ bytes: () => readModelBytes(path), from: 'seenFile', isAsked: false })),
  ];
  const resumed = record.candidate;
  if (resumed !== undefined) offer({ bytes: () => shelf.load(resumed), from: 'shelf', isAsked: true });
  return {
    reload,
    async stop() {
      ending.abort();
      clearTimeout(timer);
      for (const end of detach) end();
      await queue;
    },
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
