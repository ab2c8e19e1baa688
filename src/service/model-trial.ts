import type { Engine } from '../engine/engine.ts';
import { formatDuration } from '../signal/duration.ts';
import { formatTime } from '../signal/times.ts';
import { untilDiskTakes } from './disk-retry.ts';
import type { Log } from './log.ts';
import type { ModelAnswers } from './model-answers.ts';
import { ModelRefusedError } from './model-checks.ts';
import type { Comparison } from './model-comparison.ts';
import type { Shadow } from './model-road.ts';
import type { ModelRecord } from './model-shelf.ts';

/** How much worse than the old model's a new model's live error may be: less than that is noise. */
const margin = 1.05;
/** Forecasts of each target at each horizon that are compared at least. */
const fewestPairs = 30;
/** As long as one stream without gaps needs for those, and again as long. */
const patience = 2;
const lookAgainMs = 1_000;
const longestWaitMs = 60_000;

/** A model that passed the checks. */
interface Candidate {
  readonly id: string;
  readonly release: number;
  readonly shadow: Shadow;
}

interface InShadow {
  readonly candidate: Candidate;
  /** When it is refused if too few forecasts have met their readings until then. */
  readonly endMs: number;
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
    readonly engine: Pick<Engine, 'id' | 'model'>;
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

  /** @param looks how many there were */
  function judgeAt(atMs: number, opened: InShadow, looks = 0): void {
    const leftMs = atMs - performance.now();
    timer = setTimeout(
      () => {
        if (leftMs > longestWaitMs) judgeAt(atMs, opened, looks);
        else enqueue(() => judge(opened, looks));
      },
      Math.min(leftMs, longestWaitMs),
    );
  }

  async function judge(opened: InShadow, looks: number): Promise<void> {
    // another one has come, or the end
    if (signal.aborted || candidate !== opened.candidate) return;
    const { id, shadow } = opened.candidate;
    try {
      const { fewest, pairs, ratio } = shadow.compare();
      if (fewest.pairs < fewestPairs) return waitOn(opened, fewest, looks);
      const found = `its live error is ${ratio.toFixed(3)} times that of the old model on ${pairs} forecasts`;
      if (!(ratio <= margin)) throw new ModelRefusedError(`${found}, expected at most ${margin}`);
      log.info({ id, ratio, pairs }, `promoted: ${found}`);
      await promote(opened.candidate);
    } catch (error) {
      drop((error as Error).message);
      record.note({ candidate: undefined });
    }
  }

  /** @throws ModelRefusedError when it has waited for long enough */
  function waitOn({ candidate, endMs }: InShadow, fewest: Comparison['fewest'], looks: number): void {
    const { id } = candidate;
    const { pairs, target, steps } = fewest;
    const met = `${pairs} of ${fewestPairs} forecasts of ${target} ${steps} steps ahead have met their readings`;
    const nowMs = performance.now();
    if (nowMs >= endMs)
      throw new ModelRefusedError(`only ${met}, too few to judge by: send it anew, or use SIGHUP`);
    if (looks === 0) {
      const end = formatTime(Date.now() + endMs - nowMs);
      log.info({ id, ...fewest, end }, `the shadow goes on until ${end} at most: ${met}`);
    }
    const waitMs = Math.min(lookAgainMs * 2 ** looks, longestWaitMs);
    judgeAt(Math.min(nowMs + waitMs, endMs), { candidate, endMs }, looks + 1);
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
      const farthest = Math.max(...service.engine.model.output.horizons);
      const neededMs = (farthest + fewestPairs) * service.engine.model.input.periodMs;
      const longestMs = shadowMs + patience * neededMs;
      const [shadowTime, needed, longest] = [shadowMs, neededMs, longestMs].map(formatDuration);
      log.info(
        { id, release, shadowMs },
        `a new model runs in the shadow for ${shadowTime}, and until ${fewestPairs} forecasts ${farthest} steps ahead have met their readings (${needed} with one stream), for ${longest} at most`,
      );
      answers.say({ id, release, status: 'shadow' });
      const nowMs = performance.now();
      judgeAt(nowMs + shadowMs, { candidate: opened, endMs: nowMs + longestMs });
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
