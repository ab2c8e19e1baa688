import type { Publication } from '../stream/encode.ts';
import { ConnectionLostError } from './broker-error.ts';
import type { Link } from './link.ts';
import { createOutbox } from './outbox.ts';
import type { TopicPattern } from './topic.ts';

export interface SinkOptions {
  readonly topics: TopicPattern;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** Handed to the link and not finished: not yet acknowledged (QoS 1), not yet written (QoS 0). */
  readonly inFlightLimit?: number | undefined;
  /** Publications that wait, in order, for a broker that is there and has its hands full. */
  readonly burstLimit?: number | undefined;
  /** A publication that will not arrive; `superseded` and `dropped` are the ones of the outbox. */
  readonly onLoss?: ((reason: string, publication: Publication) => void) | undefined;
  /** Streams whose newest publication waits for a broker that is away, or far behind. */
  readonly waitingLimit?: number | undefined;
}

/** Every publication ends in exactly one of published, superseded, dropped and failed, or is waiting or in flight. */
export interface Sink {
  /** Returns at once. */
  publish(publications: readonly Publication[]): void;
  /** Resolves when nothing waits for a broker that is there: all is on its way. */
  emptied(): Promise<void>;
  /** Acknowledged by the broker (QoS 1), written to the socket (QoS 0). */
  readonly published: number;
  /** Replaced, while the broker was away or far behind, by a newer one of the same stream. */
  readonly superseded: number;
  /** The oldest, of more streams than may wait. */
  readonly dropped: number;
  /** Refused by the broker. */
  readonly failed: number;
  /** Reason -> how many failed. */
  readonly failures: Readonly<Record<string, number>>;
  readonly waiting: number;
  readonly inFlight: number;
}

/** Hands publications to a link, never more than it can keep: MQTT.js would store them without a bound. */
export function createSink(
  link: Link,
  {
    topics,
    qos,
    retain,
    inFlightLimit = 1000,
    burstLimit = 10_000,
    waitingLimit = 100_000,
    onLoss,
  }: SinkOptions,
): Sink {
  const outbox = createOutbox({ burst: burstLimit, streams: waitingLimit });
  const failures: Record<string, number> = {};
  let returned: Publication[] = [];
  let published = 0;
  let failed = 0;
  let inFlight = 0;
  let flushing = false;
  // of what the broker takes at QoS 1, one is left for an answer about a model
  const hasRoom = () =>
    link.connected &&
    inFlight < Math.min(inFlightLimit, qos === 0 ? inFlightLimit : Math.max(1, link.window - 1));
  // without a broker there is nobody to wait for
  const isEmpty = () => outbox.size === 0 || !link.connected;
  const emptied: (() => void)[] = [];
  // two strings, and not the object of them: held until the PUBACK, it left five times as much to every collection of the young
  // generation (node --trace-gc)
  const send = ({ stream, payload }: Publication) => {
    inFlight++;
    link.publish(topics.topicOf(stream), payload, { qos, retain }, (error) => {
      inFlight--;
      if (!error) published++;
      else if (error instanceof ConnectionLostError) returned.push({ stream, payload });
      else {
        failed++;
        failures[error.message] = (failures[error.message] ?? 0) + 1;
        onLoss?.(error.message, { stream, payload });
      }
      flush();
    });
  };
  const flush = () => {
    // a written QoS 0 publication is finished before `send` returns
    if (flushing) return;
    flushing = true;
    while (outbox.size > 0 && hasRoom()) send(outbox.take() as Publication);
    flushing = false;
    if (isEmpty()) for (const resolve of emptied.splice(0)) resolve();
  };
  const keep = (publication: Publication) => {
    const { superseded, dropped } = outbox;
    outbox.add(publication, link.connected);
    // while the broker is away that is said by the link
    if (!link.connected) return;
    if (outbox.superseded > superseded) onLoss?.('superseded', publication);
    if (outbox.dropped > dropped) onLoss?.('dropped', publication);
  };
  link.onChange(() => {
    // all that the lost connection had in flight has come back by now, the oldest first
    outbox.addOlder(returned);
    returned = [];
    flush();
  });
  return {
    publish(publications) {
      // never awaited: inside the receive path that would wait for an answer that MQTT.js cannot read
      for (const publication of publications) {
        if (outbox.size === 0 && hasRoom()) send(publication);
        else keep(publication);
      }
    },
    emptied: () => (isEmpty() ? Promise.resolve() : new Promise((resolve) => emptied.push(resolve))),
    get published() {
      return published;
    },
    get superseded() {
      return outbox.superseded;
    },
    get dropped() {
      return outbox.dropped;
    },
    get failed() {
      return failed;
    },
    failures,
    get waiting() {
      return outbox.size + returned.length;
    },
    get inFlight() {
      return inFlight;
    },
  };
}
