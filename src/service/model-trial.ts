import { untilDiskTakes } from './disk-retry.ts';
import type { Log } from './log.ts';
import type { ModelAnswers } from './model-answers.ts';
import { ModelRefusedError } from './model-checks.ts';
import type { Shadow } from './model-road.ts';
import type { ModelRecord } from './model-shelf.ts';

/** How much worse than the old model's a new model's live error may be: less than that is noise. */
const margin = 1.05;
/** Forecasts of each that are compared at least, however long that takes. */
const fewestPairs = 30;
const lookAgainMs = 1_000;
const longestWaitMs = 60_000;

/** A model that passed the checks. */
interface Candidate {
  readonly id: string;
  readonly release: number;
  readonly shadow: Shadow;
}

/** The record on disk, as it is now. */
export interface KeptRecord {
  readonly now: ModelRecord;
  /** @throws the error of the disk, which then has the record as it was */
  write(changes: Partial<ModelRecord>): void;
  /** Writes what a later start can do without: where the disk does not take it the log says so. */
  note(changes: Partial<ModelRecord>): void;
}

export interface ModelTrialOptions {
  readonly service: {
    readonly engine: { readonly id: string };
    readonly models: { promoted: number; shadow: string | null };
  };
  /** 0: a new model serves at once. */
  readonly shadowMs: number;
  readonly record: KeptRecord;
  readonly answers: Pick<ModelAnswers, 'say' | 'refuse'>;
  readonly enqueue: (work: () => Promise<void>) => void;
  readonly log: Log;
  /** Aborted when the service stops. */
  readonly signal: AbortSignal;
}

/** What a new model goes through from its shadow until it serves. */
export interface ModelTrial {
  /** The model in the shadow. */
  readonly id: string | undefined;
  open(candidate: Candidate): Promise<void>;
  /** Refuses the one in the shadow. */
  drop(reason: string): void;
  /** Judges no more. */
  stop(): void;
}

export function createModelTrial(options: ModelTrialOptions): ModelTrial {
  const { service, shadowMs, record, answers, enqueue, log, signal } = options;
  let candidate: Candidate | undefined;
  let timer: NodeJS.Timeout | undefined;

  function drop(reason: string): void {
    clearTimeout(timer);
    if (candidate === undefined) return;
    const { id, release, shadow } = candidate;
    candidate = undefined;
    service.models.shadow = null;
    shadow.close();
    answers.refuse({ id, release }, reason);
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
      drop((error as Error).message);
      record.note({ candidate: undefined });
    }
  }

  async function promote(opened: Candidate): Promise<void> {
    const { id, release, shadow } = opened;
    const previous = service.engine.id;
    shadow.promote();
    candidate = undefined;
    service.models.shadow = null;
    service.models.promoted++;
    log.info({ id, release, previous }, 'a new model serves');
    await save(opened, previous, options);
  }

  return {
    get id() {
      return candidate?.id;
    },
    async open(opened) {
      if (signal.aborted) return;
      if (shadowMs === 0) return await promote(opened);
      const { id, release } = opened;
      candidate = opened;
      service.models.shadow = id;
      log.info({ id, release, shadowMs }, 'a new model runs in the shadow');
      answers.say({ id, release, status: 'shadow' });
      judgeAfter(shadowMs, opened, performance.now() + shadowMs);
    },
    drop,
    stop: () => clearTimeout(timer),
  };
}

/** Until the states of a promoted model are on disk a restart finds the model before, with its own. */
async function save(
  { id, release, shadow }: Candidate,
  previous: string,
  { record, answers, log, signal }: ModelTrialOptions,
): Promise<void> {
  const isSaved = await untilDiskTakes(
    () =>
      shadow.save(() =>
        record.write({
          serving: id,
          previous,
          candidate: undefined,
          highestRelease: Math.max(release, record.now.highestRelease),
        }),
      ),
    {
      onTrouble: ({ message: reason }) =>
        log.error(
          { id, reason },
          'the new model serves, and is not yet on disk: a restart finds the one before',
        ),
      signal,
    },
  );
  if (isSaved) answers.say({ id, release, status: 'promoted' });
}
