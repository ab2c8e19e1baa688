import type { Overview, Percentiles, StreamRow } from '../dashboard/view.ts';
import { percentilesOf } from '../service/percentiles.ts';
import type { Service } from '../service/service.ts';
import type { Observer } from './demo-observer.ts';
import type { Player } from './player.ts';

/** The demo at one moment. */
export interface DemoSnapshot {
  /** Of the page. */
  readonly url: string;
  readonly overview: Overview;
  readonly rows: readonly StreamRow[];
  readonly ticks: number;
  readonly allTicks: number;
  /** Messages published by the sensors. */
  readonly messages: number;
  /** Forecasts that came back over the broker. */
  readonly forecasts: number;
  /** Milliseconds from publishing a message to reading its forecast back. */
  readonly roundTripMs: Percentiles;
}

export interface DemoParts {
  readonly service: Service;
  readonly url: string;
  readonly observer: Observer;
  readonly player: Player;
  readonly allTicks: number;
}

/** Each call looks at all parts anew. */
export function createSnapshots({ service, url, observer, player, allTicks }: DemoParts): () => DemoSnapshot {
  return () => {
    const { overview, rows } = service.view({ filter: '', target: 0, stream: '' });
    return {
      ...{ url, overview, rows, allTicks },
      ticks: player.ticks,
      messages: player.messages,
      forecasts: observer.forecasts,
      roundTripMs: percentilesOf(observer.latencyNs, 1e6),
    };
  };
}
