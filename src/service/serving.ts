import { type OperatorFunction, Subject } from 'rxjs';
import type { View, ViewQuery } from '../dashboard/view.ts';
import type { Engine } from '../engine/engine.ts';
import type { ReadingBatch } from '../stream/decode.ts';
import { createStreamMemory, type RoadOptions } from '../stream/pipeline.ts';
import { createMonitor } from './monitor.ts';
import type { KeptModel } from './snapshots.ts';
import { createStreamViews } from './stream-views.ts';

/** A model at work: its states, and what is known of its streams. */
export interface Serving extends KeptModel {
  readonly viewStreams: (query: ViewQuery) => Omit<View, 'overview'>;
}

export interface ServingOptions extends Pick<RoadOptions, 'combine' | 'latenessMs'> {
  readonly maxStreams: number;
  readonly staleAfterMs?: number | undefined;
  /** Keep what a chart shows. */
  readonly charted: boolean;
}

/** Periods without a reading after which a stream is stale. */
const staleAfterPeriods = 3;

export function createServing(engine: Engine, options: ServingOptions): Serving {
  const { model } = engine;
  const { maxStreams, charted, staleAfterMs = staleAfterPeriods * model.input.periodMs } = options;
  const monitor = createMonitor({ model, staleAfterMs, charted, maxStreams });
  return {
    ...{ engine, monitor },
    memory: createStreamMemory(engine, options),
    viewStreams: createStreamViews(engine, monitor),
  };
}

/** A way for readings that somebody else sends. */
export interface Lane {
  push(batch: ReadingBatch): void;
  stop(): void;
}

export function openLane<T>(
  road: OperatorFunction<ReadingBatch, T>,
  handlers: { readonly next: (result: T) => void; readonly error: (defect: unknown) => void },
): Lane {
  const batches = new Subject<ReadingBatch>();
  const subscription = batches.pipe(road).subscribe(handlers);
  return { push: (batch) => batches.next(batch), stop: () => subscription.unsubscribe() };
}
