import type { BackOffOptions } from './back-off.ts';
import { ConnectionLostError } from './broker-error.ts';
import { type BrokerOptions, type Protocol, resolveBroker } from './broker-options.ts';
import type { Filter } from './greeting.ts';
import type { Delivery } from './intake.ts';
import { createKeeper } from './keeper.ts';
import { createReport, type LinkEvent } from './link-report.ts';
import type { Done, PublishOptions } from './outgoing.ts';
import type { Receipts } from './receipts.ts';

export interface LinkOptions extends BrokerOptions {
  readonly filters?: readonly Filter[] | undefined;
  /** Subscriptions of an earlier configuration that the broker's session may still hold: unsubscribed. */
  readonly goneFilters?: readonly string[] | undefined;
  /** Gets `online` at every connect, `offline` as the will and before a disconnect; retained, QoS 1. */
  readonly statusTopic?: string | undefined;
  /** Whether messages of QoS 1 are acknowledged through `receipts`, and not on arrival. */
  readonly holdsReceipts?: ((protocol: Protocol) => boolean) | undefined;
  readonly onEvent?: ((event: LinkEvent) => void) | undefined;
  readonly backOff?: BackOffOptions | undefined;
}

/** A connection to a broker that comes back by itself. */
export interface Link {
  /** host:port */
  readonly address: string;
  readonly connected: boolean;
  /** When it was connected or lost. */
  readonly sinceMs: number;
  /** Of the newest connection. */
  readonly protocol: Protocol | undefined;
  readonly reconnects: number;
  /** How many QoS 1 publications the broker takes before it has acknowledged the first. */
  readonly window: number;
  /** Attach before `open`: messages of a kept session come with the first answer, and are acknowledged. Nothing may
   * be awaited in a handler, and a handler does not throw. The result detaches it. */
  onMessage(handler: (delivery: Delivery) => void): () => void;
  /** Told at every connect, before the messages: whether the broker has kept the session. The result detaches it. */
  onSession(handler: (isPresent: boolean) => void): () => void;
  /** Told when it is connected and when it is lost. The result detaches it. */
  onChange(handler: (connected: boolean) => void): () => void;
  /** Connects and subscribes; tries for as long as it takes, or for `timeoutMs`.
   * @throws BrokerRefusedError when trying again is no use. Later in life it is tried, and reported as an event.
   * @throws BrokerConnectionError after `timeoutMs`, or when it is closed meanwhile */
  open(options?: { readonly timeoutMs?: number | undefined }): Promise<void>;
  /** `done` gets a ConnectionLostError when it is not known to have arrived, a PublicationRefusedError when it
   * never will; possibly before this returns. Nothing is queued while the broker is away. */
  publish(topic: string, payload: string | Uint8Array, options: PublishOptions, done?: Done): void;
  /** Of the newest connection. */
  readonly receipts: Receipts | undefined;
  /** Takes no more messages; what comes stays with the broker. */
  leave(): void;
  /** Finishes what is under way, but waits no longer than `timeoutMs` for a broker that is stuck. */
  close(options?: { readonly timeoutMs?: number | undefined }): Promise<void>;
}

/** @throws BrokerOptionsError */
export function createLink(options: LinkOptions): Link {
  const broker = resolveBroker(options);
  const { firstMs = 500, maxMs = 30_000, stableMs = 10_000 } = options.backOff ?? {};
  const { filters = [], goneFilters = [], statusTopic, onEvent = () => {} } = options;
  const report = createReport({ ...broker, stableMs, onEvent });
  const messageHandlers = new Set<(delivery: Delivery) => void>();
  const sessionHandlers = new Set<(isPresent: boolean) => void>();
  const changeHandlers = new Set<(connected: boolean) => void>();
  let sinceMs = Date.now();
  let protocol: Protocol | undefined;
  const change = (connected: boolean) => {
    sinceMs = Date.now();
    for (const handler of changeHandlers) handler(connected);
  };
  const keeper = createKeeper({
    broker,
    protocol: options.protocol ?? 'auto',
    filters,
    goneFilters,
    statusTopic,
    backOff: { firstMs, maxMs, stableMs },
    onDelivery(delivery) {
      for (const handler of messageHandlers) handler(delivery);
    },
    onSession(isPresent) {
      for (const handler of sessionHandlers) handler(isPresent);
    },
    holdsReceipts: options.holdsReceipts ?? (() => false),
    onUp(arrival) {
      protocol = arrival.protocol;
      report.up(arrival);
      change(true);
    },
    onDown(ending, lastedMs) {
      report.down(ending, lastedMs);
      if (lastedMs !== undefined) change(false);
    },
  });
  return {
    address: broker.address,
    get connected() {
      return keeper.connection?.up ?? false;
    },
    get sinceMs() {
      return sinceMs;
    },
    get protocol() {
      return protocol;
    },
    get reconnects() {
      return Math.max(0, keeper.connects - 1);
    },
    get window() {
      return keeper.connection?.window ?? 0;
    },
    onMessage: (handler) => attach(messageHandlers, handler),
    onSession: (handler) => attach(sessionHandlers, handler),
    onChange: (handler) => attach(changeHandlers, handler),
    open: ({ timeoutMs } = {}) => keeper.start(timeoutMs),
    publish(topic, payload, publishOptions, done = () => {}) {
      if (keeper.connection?.up) keeper.connection.publish(topic, payload, publishOptions, done);
      else done(new ConnectionLostError('no connection to the broker'));
    },
    get receipts() {
      return keeper.connection?.receipts;
    },
    leave: keeper.leave,
    async close({ timeoutMs = 2_000 } = {}) {
      report.close();
      await keeper.stop(timeoutMs);
    },
  };
}

function attach<H>(handlers: Set<H>, handler: H): () => void {
  handlers.add(handler);
  return () => handlers.delete(handler);
}
