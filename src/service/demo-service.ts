import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { createRunningError, type RunningError } from '../calibrate/running-error.ts';
import type { Engine } from '../engine/engine.ts';
import type { Model } from '../model/model.ts';
import { connectClient, createClient } from '../mqtt/client.ts';
import { createSink, type Sink } from '../mqtt/sink.ts';
import { mqttSource } from '../mqtt/source.ts';
import type { TopicPattern } from '../mqtt/topic.ts';
import { slotOf } from '../signal/slots.ts';
import { type Counters, createCounters } from '../stream/counters.ts';
import type { Reading } from '../stream/decode.ts';
import type { Answers } from '../stream/denormalize.ts';
import { road } from '../stream/pipeline.ts';

export interface DemoServiceOptions {
  readonly engine: Engine;
  readonly brokerUrl: string;
  readonly sensors: TopicPattern;
  readonly forecasts: TopicPattern;
  /** What the states start from; nothing of it is published or scored. */
  readonly history?: Iterable<readonly Reading[]>;
}

export interface DemoService {
  readonly counters: Counters;
  readonly sink: Sink;
  /** Nanoseconds a frame, live frames only. */
  readonly stepNs: RecordableHistogram;
  /** One for each stream and target. */
  readonly errors: RunningErrors;
  /** Rejects when a defect of ours has stopped the road. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

/** Stream -> its running error of every target. */
type RunningErrors = ReadonlyMap<string, readonly RunningError[]>;

/** The states warm, connects, and answers every frame until it is closed. */
export async function startDemoService(options: DemoServiceOptions): Promise<DemoService> {
  const { engine, sensors, forecasts } = options;
  const counters = createCounters();
  const stepNs = createHistogram();
  const scorer = createScorer(engine.model);
  const client = createClient(options.brokerUrl);
  const sink = createSink(client, forecasts);
  let fail = (_: unknown) => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // whoever waits for it gets it; until then it is no unhandled rejection
  failed.catch(() => {});
  const subscription = mqttSource(client, { topics: sensors, own: forecasts })
    .pipe(road(engine, { counters, history: options.history ?? [] }))
    .subscribe({
      next(outcome) {
        sink.publish(outcome.publications);
        scorer.score(outcome);
        if (outcome.origin === 'live') stepNs.record(Math.max(1, Math.round(outcome.stepUs * 1000)));
      },
      error: fail,
    });
  try {
    await connectClient(client, { filters: [sensors.filter] });
  } catch (error) {
    subscription.unsubscribe();
    throw error;
  }
  return {
    counters,
    sink,
    stepNs,
    errors: scorer.errors,
    failed,
    async close() {
      await client.endAsync();
      subscription.unsubscribe();
    },
  };
}

interface Scorer {
  readonly errors: RunningErrors;
  score(answers: Answers): void;
}

/** Holds what was published against what the sensors said later. */
function createScorer({ input, output }: Model): Scorer {
  const errors = new Map<string, readonly RunningError[]>();
  const find = (stream: string) => {
    let found = errors.get(stream);
    if (!found) {
      found = output.targets.map(() => createRunningError(output.horizons));
      errors.set(stream, found);
    }
    return found;
  };
  return {
    errors,
    score({ origin, answers }) {
      for (const { frame, result } of answers) {
        const slot = slotOf(frame.timeMs, input.periodMs);
        const running = find(frame.stream);
        output.targets.forEach((feature, target) => {
          const truth = frame.values[feature];
          if (!Number.isNaN(truth)) running[target].observe(slot, truth);
          if (origin !== 'live' || result.kind !== 'forecast') return;
          for (const step of output.horizons) running[target].expect(slot, step, result.at(step, target));
        });
      }
    },
  };
}
