import { type BackOffOptions, createBackOff } from './back-off.ts';
import { BrokerConnectionError, BrokerRefusedError } from './broker-error.ts';
import type { BrokerOptions, Protocol } from './broker-options.ts';
import { type Connection, type DialOptions, dial } from './connection.ts';
import type { Ending } from './ending.ts';

export interface KeeperOptions
  extends Omit<DialOptions, 'protocol' | 'first' | 'timeoutMs' | 'onUp' | 'holdsReceipts'> {
  readonly protocol: NonNullable<BrokerOptions['protocol']>;
  readonly backOff: Required<BackOffOptions>;
  readonly onUp: (arrival: Arrival) => void;
  readonly holdsReceipts: (protocol: Protocol) => boolean;
}

export interface Arrival {
  readonly protocol: Protocol;
  /** The broker had kept the session. */
  readonly sessionPresent: boolean;
}

/** Sees to it that there is a connection: dials, again after every end. */
export interface Keeper {
  readonly connection: Connection | undefined;
  readonly connects: number;
  /** Resolves with the first connection. */
  start(timeoutMs: number | undefined): Promise<void>;
  /** Takes no more messages, on this connection or a later one. */
  leave(): void;
  stop(timeoutMs: number): Promise<void>;
}

const connackTimeoutMs = 10_000;

export function createKeeper(options: KeeperOptions): Keeper {
  const { broker, backOff, onUp, onDown } = options;
  const delays = createBackOff(backOff);
  let protocol: Protocol = options.protocol === '3.1.1' ? '3.1.1' : '5';
  let connection: Connection | undefined;
  let connects = 0;
  let leaving = false;
  let stopped = false;
  let retry: NodeJS.Timeout | undefined;
  let lastReason: string | undefined;
  let resolveFirst = () => {};
  let rejectFirst = (_: Error) => {};

  const connectOnce = () => {
    connection = dial({
      ...options,
      protocol,
      first: connects === 0,
      timeoutMs: connackTimeoutMs,
      holdsReceipts: options.holdsReceipts(protocol),
      onUp(sessionPresent) {
        if (stopped) return;
        connects++;
        onUp({ protocol, sessionPresent });
        resolveFirst();
      },
      onDown: comeBack,
    });
    if (leaving) connection.leave();
  };
  const comeBack = (ending: Ending, lastedMs: number | undefined) => {
    if (ending.kind === 'wrong protocol' && protocol === '5' && options.protocol === 'auto' && !stopped) {
      protocol = '3.1.1';
      connectOnce();
      return;
    }
    const refused = ending.kind === 'refused' || ending.kind === 'wrong protocol';
    if (refused && connects === 0) {
      stop(
        new BrokerRefusedError(`the broker at ${broker.address}: ${ending.reason}`, { cause: ending.cause }),
      );
    }
    lastReason = ending.reason;
    if (!stopped || lastedMs !== undefined) onDown(ending, lastedMs);
    if (stopped) return;
    if (lastedMs !== undefined && lastedMs >= backOff.stableMs) delays.reset();
    retry = setTimeout(connectOnce, delays.nextMs());
  };
  const stop = (error: Error) => {
    stopped = true;
    clearTimeout(retry);
    rejectFirst(error);
  };

  return {
    get connection() {
      return connection;
    },
    get connects() {
      return connects;
    },
    async start(timeoutMs) {
      if (connection || stopped) throw new Error('a link opens once');
      const first = new Promise<void>((resolve, reject) => {
        resolveFirst = resolve;
        rejectFirst = reject;
      });
      const timer =
        timeoutMs !== undefined &&
        setTimeout(() => {
          stop(notConnected(broker.address, lastReason ?? `no answer in ${timeoutMs} ms`));
          connection?.destroy();
        }, timeoutMs);
      connectOnce();
      await first.finally(() => timer && clearTimeout(timer));
    },
    leave() {
      leaving = true;
      connection?.leave();
    },
    async stop(timeoutMs) {
      stop(notConnected(broker.address, 'closed'));
      await connection?.end(timeoutMs);
    },
  };
}

function notConnected(address: string, reason: string): BrokerConnectionError {
  return new BrokerConnectionError(`no connection to the broker at ${address}: ${reason}`);
}
