import { pipe } from 'rxjs';
import type { ShadowView } from '../dashboard/view.ts';
import type { Engine } from '../engine/engine.ts';
import { type Counters, createCounters } from '../stream/counters.ts';
import type { Reading, ReadingBatch } from '../stream/decode.ts';
import type { Answers } from '../stream/denormalize.ts';
import { encode, type Outcome, type PayloadFormat } from '../stream/encode.ts';
import { step } from '../stream/pipeline.ts';
import type { Durable } from './durable.ts';
import { type Comparison, createModelComparison, type ModelComparison } from './model-comparison.ts';
import { createPauses } from './pauses.ts';
import { createServing, type Lane, openLane, type Serving, type ServingOptions } from './serving.ts';
import { orNull } from './stream-views.ts';

/** The part of the road that a model owns: the one that publishes, and perhaps another in its shadow. */
export interface ModelRoad {
  readonly serving: Serving;
  push(batch: ReadingBatch): void;
  noteRetained(readings: readonly Reading[]): void;
  /** Brings the states of another model up to now while the first goes on, then steps both with every reading. The
   * features, period, targets and horizons are the same. A shadow that was there is closed.
   * @throws ShadowError when it cannot catch up, or is closed meanwhile */
  openShadow(engine: Engine): Promise<Shadow>;
  /** How the shadow does so far, beside the model that serves; null where none has caught up. */
  viewShadow(): ShadowView | null;
  stop(): void;
}

/** A model that is stepped with every reading and publishes nothing. */
export interface Shadow {
  compare(): Comparison;
  /** It publishes from the next reading on. */
  promote(): void;
  /** After that: once its states are on disk `remember` notes that it serves; until then those of the model before stay.
   * @throws the error of the disk, or of `remember`; another call tries again */
  save(remember: () => void): Promise<void>;
  close(): void;
}

export interface ModelRoadOptions extends ServingOptions {
  readonly first: Serving;
  readonly format?: PayloadFormat | undefined;
  readonly counters: Counters;
  readonly durable: Pick<Durable, 'observer' | 'recent' | 'adopt'> | undefined;
  readonly onOutcome: (outcome: Outcome) => void;
  /** When the batch in hand has arrived. */
  readonly arrivedMs: () => number;
  /** A defect of ours has stopped the model that publishes. */
  readonly onDefect: (defect: unknown) => void;
}

class ShadowError extends Error {
  override readonly name = 'ShadowError';
}

/** What a shadow may take of a turn of the event loop to catch up, beside the live readings. */
const turnMs = 5;
/** Readings of the log that go down at once. */
const sliceLength = 256;
/** Live readings that wait for a shadow to have read the log. */
const mostWaiting = 500_000;

export function createModelRoad(options: ModelRoadOptions): ModelRoad {
  const { counters, durable, onOutcome, onDefect, arrivedMs, format, maxStreams } = options;
  let serving = options.first;
  let lane = openServingLane();
  let shadow: OpenShadow | undefined;

  function openServingLane(): Lane {
    const { memory, monitor, engine } = serving;
    const { id, model } = engine;
    const road = pipe(step(memory, { counters, observer: durable?.observer }), encode({ model, id, format }));
    return openLane(road, {
      next(outcome) {
        onOutcome(outcome);
        monitor.noteOutcome(outcome, arrivedMs());
        shadow?.comparison?.noteServing(outcome);
      },
      error: onDefect,
    });
  }

  async function openShadow(engine: Engine): Promise<Shadow> {
    shadow?.close();
    const candidate = createServing(engine, options);
    const opened = createOpenShadow(candidate, arrivedMs);
    shadow = opened;
    try {
      await opened.catchUp(durable?.recent());
    } catch (error) {
      close();
      throw error;
    }
    opened.comparison = createModelComparison(serving.engine.model, engine.model, maxStreams);

    function close(): void {
      opened.close();
      if (shadow === opened) shadow = undefined;
    }
    return {
      compare() {
        opened.check();
        return (opened.comparison as ModelComparison).read();
      },
      promote() {
        close();
        lane.stop();
        serving = candidate;
        lane = openServingLane();
      },
      async save(remember) {
        if (durable) await durable.adopt(candidate, remember);
        else remember();
      },
      close,
    };
  }

  return {
    get serving() {
      return serving;
    },
    push(batch) {
      lane.push(batch);
      shadow?.push(batch);
    },
    noteRetained(readings) {
      serving.monitor.noteRetained(readings);
      shadow?.candidate.monitor.noteRetained(readings);
    },
    openShadow,
    viewShadow() {
      if (shadow?.comparison === undefined) return null;
      const { pairs, shadowMae, servingMae } = shadow.comparison.read();
      return {
        ...{ id: shadow.candidate.engine.id, n: pairs },
        mae: orNull(shadowMae),
        servingMae: orNull(servingMae),
      };
    },
    stop() {
      lane.stop();
      shadow?.close();
    },
  };
}

interface OpenShadow extends Pick<Lane, 'push'> {
  readonly candidate: Serving;
  /** From when on both are stepped by the same readings. */
  comparison: ModelComparison | undefined;
  catchUp(past: AsyncIterable<readonly Reading[]> | undefined): Promise<void>;
  /** @throws ShadowError when it has ended */
  check(): void;
  close(): void;
}

function createOpenShadow(candidate: Serving, arrivedMs: () => number): OpenShadow {
  let waiting: ReadingBatch[] | undefined = [];
  /** Those included that have left `waiting` and are on their way down. */
  let waitingReadings = 0;
  let ending: ShadowError | undefined;
  const lane = openLane(step(candidate.memory, { counters: createCounters() }), {
    next(answers: Answers) {
      candidate.monitor.noteOutcome(answers, arrivedMs());
      opened.comparison?.noteShadow(answers);
    },
    error: (defect) => end(`a defect has stopped it: ${(defect as Error).message}`),
  });

  function end(reason: string): void {
    ending ??= new ShadowError(reason);
    waiting = undefined;
    lane.stop();
  }

  function check(): void {
    if (ending) throw ending;
  }

  async function catchUp(past: AsyncIterable<readonly Reading[]> = emptyPast()): Promise<void> {
    const pause = createPauses(turnMs);
    for await (const readings of past) {
      for (let at = 0; at < readings.length; at += sliceLength) {
        lane.push({ origin: 'history', readings: readings.slice(at, at + sliceLength) });
        await pause();
        check();
      }
    }
    // what is in the log too comes again here, and is late or a duplicate
    while (waiting !== undefined && waiting.length > 0) {
      const batches = waiting;
      const count = waitingReadings;
      waiting = [];
      for (const { readings } of batches) {
        lane.push({ origin: 'history', readings });
        await pause();
        check();
      }
      waitingReadings -= count;
    }
    check();
    waiting = undefined;
  }

  function keep(batch: ReadingBatch): void {
    const { length } = batch.readings;
    // of messages that held none there may be any number
    if (length === 0) return;
    waitingReadings += length;
    if (waitingReadings > mostWaiting) end('it cannot catch up with the readings that come');
    else waiting?.push(batch);
  }

  const opened: OpenShadow = {
    candidate,
    comparison: undefined,
    push(batch) {
      if (ending) return;
      if (waiting === undefined) lane.push(batch);
      else keep(batch);
    },
    ...{ catchUp, check },
    close: () => end('another model took its place'),
  };
  return opened;
}

/** A service that keeps nothing on disk has no log. */
async function* emptyPast(): AsyncGenerator<readonly Reading[], void> {}
