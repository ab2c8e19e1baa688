import { Observable } from 'rxjs';
import type { Message } from '../stream/payload.ts';
import type { Delivery } from './intake.ts';
import type { Link } from './link.ts';
import type { TopicPattern } from './topic.ts';

export interface SourceOptions {
  /** A message belongs to the first that matches. */
  readonly routes: readonly TopicPattern[];
  /** What this service publishes: never read back, whatever the subscriptions match. */
  readonly isOwn?: ((topic: string) => boolean) | undefined;
  readonly counts?: SourceCounts | undefined;
  /** Gets what came and was not for the road. */
  readonly onAside?: ((delivery: Delivery) => void) | undefined;
  /** The messages of a turn have gone down the road, all of them. */
  readonly onDone?: (() => void) | undefined;
  /** Messages a batch at most. */
  readonly limit?: number | undefined;
  readonly now?: (() => number) | undefined;
}

/** What came and was not for the road. */
export interface SourceCounts {
  own: number;
  /** Of a topic of no route. */
  unrouted: number;
  lastUnrouted: string | undefined;
}

export function createSourceCounts(): SourceCounts {
  return { own: 0, unrouted: 0, lastUnrouted: undefined };
}

/** Exact beside a time of today, and less than a message takes. */
const leastApartMs = 2 ** -10;
/** What a burst may run ahead of the clock: a million messages. */
const longestLeadMs = 1000;

/** The messages of a link, those of one turn of the event loop together. Subscribe before the link opens. */
export function mqttSource(
  link: Link,
  {
    routes,
    isOwn = () => false,
    counts = createSourceCounts(),
    onAside,
    onDone,
    limit = 256,
    now = Date.now,
  }: SourceOptions,
): Observable<readonly Message[]> {
  const arrive = createArrivals(now);
  const read = ({ topic, payload, skippedBytes, retain, dup, id }: Delivery): Message | undefined => {
    if (isOwn(topic)) {
      counts.own++;
      return undefined;
    }
    for (let route = 0; route < routes.length; route++) {
      const match = routes[route].match(topic);
      if (!match) continue;
      const { stream, feature } = match;
      return {
        route,
        stream,
        feature,
        payload,
        retained: retain,
        arrivedMs: arrive(),
        ...(dup && { again: 'perhaps' }),
        ...(id > 0 && { packetId: id }),
        ...(skippedBytes !== undefined && { skippedBytes }),
      };
    }
    counts.unrouted++;
    counts.lastUnrouted = topic;
    return undefined;
  };
  return new Observable((subscriber) => {
    let turn: Message[] = [];
    let timer: NodeJS.Immediate | undefined;
    const emit = () => {
      const messages = turn;
      turn = [];
      if (messages.length > 0) subscriber.next(messages);
    };
    const endTurn = () => {
      timer = undefined;
      emit();
      onDone?.();
    };
    const detach = link.onMessage((delivery) => {
      const message = read(delivery);
      if (message) turn.push(message);
      else onAside?.(delivery);
      if (turn.length >= limit) emit();
      timer ??= setImmediate(endTurn);
    });
    return () => {
      detach();
      clearImmediate(timer);
    };
  });
}

/** A message that says no time is of the moment of its arrival: two of a moment would be the same reading twice. A burst runs
 * ahead of the clock by some milliseconds and waits there for it; one that was put back by more is followed at once. */
function createArrivals(now: () => number): () => number {
  let arrivedMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = now();
    const nextMs = arrivedMs + leastApartMs;
    arrivedMs = nextMs > nowMs + longestLeadMs ? nowMs : Math.max(nowMs, nextMs);
    return arrivedMs;
  };
}
