import { NEVER, Subject } from 'rxjs';
import type { Engine } from '../../src/engine/engine.ts';
import { createLog } from '../../src/service/log.ts';
import { createMonitor } from '../../src/service/monitor.ts';
import { openStateKeeper } from '../../src/service/state-keeper.ts';
import type { Route } from '../../src/service/subscriptions.ts';
import { type Counters, createCounters } from '../../src/stream/counters.ts';
import type { Message } from '../../src/stream/payload.ts';
import { createStreamMemory, road, type StreamMemory } from '../../src/stream/pipeline.ts';
import type { SensorMessage } from './sensors.ts';
import { createTally, type Tally } from './tally.ts';

export interface ReferenceOptions {
  readonly engine: Engine;
  readonly routes: readonly Route[];
  readonly streams: number;
  readonly latenessMs: number;
}

/** The same readings on a road that nothing interrupts. */
export interface Reference {
  readonly memory: StreamMemory;
  readonly counters: Counters;
  /** The readings that changed a state. */
  readonly applied: Tally;
  /** The newest forecast of each stream, as it is published. */
  readonly newest: ReadonlyMap<string, string>;
  take(message: SensorMessage): void;
}

export function createReference({ engine, routes, streams, latenessMs }: ReferenceOptions): Reference {
  const memory = createStreamMemory(engine, { latenessMs });
  const counters = createCounters();
  const applied = createTally(streams);
  const newest = new Map<string, string>();
  const messages = new Subject<readonly Message[]>();
  messages
    .pipe(
      road(engine, {
        ...{ memory, counters, decoders: routes.map(({ decoder }) => decoder) },
        observer: { before() {}, taken: applied.note, repeated() {} },
      }),
    )
    .subscribe(({ publications }) => {
      for (const { stream, payload } of publications) newest.set(stream, String(payload));
    });
  return {
    ...{ memory, counters, applied, newest },
    take({ stream, feature, payload }) {
      const bytes = new TextEncoder().encode(payload);
      messages.next([{ route: feature, stream, payload: bytes, retained: false, arrivedMs: Date.now() }]);
    },
  };
}

/** What a service would start with on that folder. */
export async function restoreMemory(
  folder: string,
  { engine, latenessMs }: Pick<ReferenceOptions, 'engine' | 'latenessMs'>,
): Promise<StreamMemory> {
  const memory = createStreamMemory(engine, { latenessMs });
  const monitor = createMonitor({
    ...{ model: engine.model, staleAfterMs: Number.POSITIVE_INFINITY, charted: false },
    maxStreams: Number.POSITIVE_INFINITY,
  });
  const log = createLog('chaos', { quiet: true });
  const keeper = await openStateKeeper({ folder, engine, memory, monitor, log });
  // without an end, which would close the open frames
  NEVER.pipe(
    road(engine, { memory, decoders: [], counters: createCounters(), history: keeper.history }),
  ).subscribe();
  await keeper.close();
  return memory;
}

/** The streams whose aligner, floats, newest slot or age are not the same to the bit. */
export function findDifferences(found: StreamMemory, expected: StreamMemory): string[] {
  const names = new Set([...found.table.streams.keys(), ...expected.table.streams.keys()]);
  return [...names].filter((name) => !isSame(numbersOf(found, name), numbersOf(expected, name)));
}

function numbersOf({ table, arena }: StreamMemory, name: string) {
  const stream = table.streams.get(name);
  if (stream === undefined) return undefined;
  const { floats, lastSlot, age } = arena.save(arena.open(name));
  const bits = new Uint32Array(floats.slice().buffer);
  return [lastSlot, age, ...stream.aligner.save(), ...bits];
}

function isSame(found: readonly number[] | undefined, expected: readonly number[] | undefined): boolean {
  if (found === undefined || expected === undefined || found.length !== expected.length) return false;
  return found.every((number, i) => Object.is(number, expected[i]));
}
