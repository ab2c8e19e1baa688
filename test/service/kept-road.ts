import { Subject } from 'rxjs';
import type { Engine } from '../../src/engine/engine.ts';
import { createLog } from '../../src/service/log.ts';
import { createMonitor, type Monitor } from '../../src/service/monitor.ts';
import { openStateKeeper, type StateKeeper } from '../../src/service/state-keeper.ts';
import { type Counters, createCounters } from '../../src/stream/counters.ts';
import type { Envelope } from '../../src/stream/payload.ts';
import { createStreamMemory, type RoadOptions, road, type StreamMemory } from '../../src/stream/pipeline.ts';

/** A reading on its way down a road that needs no broker. */
export interface TestReading {
  readonly stream: string;
  readonly feature: number;
  readonly timeMs: number;
  readonly value: number;
}

type TestMessage = Envelope & TestReading;

export interface TestRoad {
  readonly memory: StreamMemory;
  readonly monitor: Monitor;
  readonly counters: Counters;
  /** One turn of the event loop. */
  push(readings: readonly TestReading[]): void;
}

export type TestRoadOptions = Pick<RoadOptions, 'history' | 'observer' | 'latenessMs' | 'combine'>;

export function createRoadMemory(
  engine: Engine,
  options: TestRoadOptions = {},
): Pick<TestRoad, 'memory' | 'monitor'> {
  const monitor = createMonitor({
    ...{ model: engine.model, staleAfterMs: Number.POSITIVE_INFINITY, charted: false },
    maxStreams: Number.POSITIVE_INFINITY,
  });
  return { memory: createStreamMemory(engine, options), monitor };
}

/** A road with states of its own, or on those that are given. */
export function openTestRoad(
  engine: Engine,
  options: TestRoadOptions = {},
  { memory, monitor } = createRoadMemory(engine, options),
): TestRoad {
  const counters = createCounters();
  const messages = new Subject<readonly TestMessage[]>();
  messages
    .pipe(
      road<TestMessage>(engine, {
        ...options,
        ...{ memory, counters },
        decoders: [
          ({ timeMs, feature, value }) => ({ timeMs, features: [feature], values: [value], malformed: [] }),
        ],
      }),
    )
    .subscribe((outcome) => monitor.noteOutcome(outcome, 0));
  return {
    ...{ memory, monitor, counters },
    push: (readings) =>
      messages.next(
        readings.map((reading) => ({
          ...reading,
          ...{ route: 0, retained: false, arrivedMs: Number.POSITIVE_INFINITY },
        })),
      ),
  };
}

export interface KeptRoad extends TestRoad {
  readonly keeper: StateKeeper;
  /** What its log says is wrong. */
  readonly complaints: readonly string[];
}

/** A road whose states are kept in a folder, and come from it. */
export async function openKeptRoad(
  folder: string,
  engine: Engine,
  options: TestRoadOptions = {},
): Promise<KeptRoad> {
  const parts = createRoadMemory(engine, options);
  const complaints: string[] = [];
  const log = createLog('test', {
    quiet: true,
    destination: { write: (line: string) => complaints.push((JSON.parse(line) as { msg: string }).msg) },
  });
  const keeper = await openStateKeeper({ folder, engine, log, ...parts });
  const observer = { before: keeper.before, taken: keeper.taken, repeated() {} };
  return {
    ...openTestRoad(engine, { ...options, observer, history: keeper.history }, parts),
    keeper,
    complaints,
  };
}
