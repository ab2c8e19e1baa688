import type { RecordableHistogram } from 'node:perf_hooks';
import { type MeanError, poolErrors } from '../calibrate/running-error.ts';
import type { Engine } from '../engine/engine.ts';
import type { Model } from '../model/model.ts';
import type { DemoService } from '../service/demo-service.ts';
import type { Counters } from '../stream/counters.ts';
import type { Observer, StreamView } from './demo-observer.ts';
import type { Replay } from './demo-replay.ts';

export type StreamSnapshot = Readonly<StreamView> & MeanError;

/** The demo at one moment. */
export interface DemoSnapshot extends MeanError {
  readonly url: string;
  /** Name, version, cell and numbers. */
  readonly model: string;
  readonly target: string;
  readonly horizons: readonly number[];
  readonly periodMs: number;
  readonly streams: readonly StreamSnapshot[];
  readonly ticks: number;
  readonly allTicks: number;
  readonly messages: number;
  readonly forecasts: number;
  /** Messages a second, lately. */
  readonly rate: number;
  readonly stepUsP50: number;
  readonly stepUsP99: number;
  readonly latencyMsP50: number;
  readonly latencyMsP99: number;
  readonly counters: Counters['ended'];
}

export interface DemoParts {
  readonly url: string;
  readonly engine: Engine;
  readonly service: DemoService;
  readonly observer: Observer;
  readonly replay: Replay;
  readonly allTicks: number;
}

/** How long the rate of messages looks back. */
const rateWindowMs = 3_000;

/** Each call looks at all parts anew. */
export function createSnapshots({
  url,
  engine,
  service,
  observer,
  replay,
  allTicks,
}: DemoParts): () => DemoSnapshot {
  const { input, output } = engine.model;
  const looks = [{ atMs: performance.now(), messages: 0 }];
  const rateNow = (): number => {
    const now = { atMs: performance.now(), messages: replay.messages };
    looks.push(now);
    // at least the look before this one stays, however long ago it was
    while (looks.length > 2 && now.atMs - looks[0].atMs > rateWindowMs) looks.shift();
    const spanMs = now.atMs - looks[0].atMs;
    return spanMs === 0 ? 0 : ((now.messages - looks[0].messages) * 1000) / spanMs;
  };
  return () => {
    const streams = [...observer.streams.values()]
      .map((view) => ({ ...view, ...poolErrors(service.errors.get(view.stream) ?? []) }))
      .sort((a, b) => a.stream.localeCompare(b.stream));
    return {
      url,
      model: describeModel(engine.model),
      target: input.names[output.targets[0]],
      horizons: output.horizons,
      periodMs: input.periodMs,
      streams,
      ticks: replay.ticks,
      allTicks,
      messages: replay.messages,
      forecasts: observer.forecasts,
      rate: rateNow(),
      ...poolErrors([...service.errors.values()].flat()),
      stepUsP50: percentile(service.stepNs, 50) / 1e3,
      stepUsP99: percentile(service.stepNs, 99) / 1e3,
      latencyMsP50: percentile(observer.latencyNs, 50) / 1e6,
      latencyMsP99: percentile(observer.latencyNs, 99) / 1e6,
      counters: { ...service.counters.ended },
    };
  };
}

function describeModel({ name, version, architecture, layers }: Model): string {
  const { cell, hidden } = architecture;
  const numbers = layers.every(({ inputWeights }) => inputWeights.kind === 'int8') ? 'int8' : 'float32';
  return `${name} ${version}, ${cell === 'none' ? 'linear' : `${cell} ${hidden}, ${numbers}`}`;
}

function percentile(histogram: RecordableHistogram, rank: number): number {
  return histogram.count === 0 ? 0 : histogram.percentile(rank);
}
