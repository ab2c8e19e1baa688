import type { Protocol } from './broker-options.ts';
import type { Ending } from './ending.ts';
import type { Arrival } from './keeper.ts';

/** What an operator should know. `message` is one clear line without credentials. */
export type LinkEvent =
  | {
      readonly kind: 'connected';
      readonly message: string;
      readonly protocol: Protocol;
      readonly sessionPresent: boolean;
    }
  | {
      readonly kind: 'back';
      readonly message: string;
      readonly protocol: Protocol;
      readonly sessionPresent: boolean;
      readonly awayMs: number;
    }
  /** Tried again, until it is back. */
  | { readonly kind: 'away'; readonly message: string; readonly reason: string }
  /** Tried again too, but somebody must do something. */
  | { readonly kind: 'refused'; readonly message: string; readonly reason: string };

export interface LinkReport {
  up(arrival: Arrival): void;
  /** @param lastedMs how long the connection was up, undefined when it never was */
  down(ending: Ending, lastedMs: number | undefined): void;
  close(): void;
}

export interface ReportOptions {
  readonly address: string;
  readonly clientId: string;
  readonly stableMs: number;
  readonly onEvent: (event: LinkEvent) => void;
}

/** Connections in a row that the broker ended soon after it had accepted them: more is no chance. */
const flappingFrom = 3;

/** Reports changes, each reason once. Two clients of one id take each other's session for ever: while connections
 * end as soon as they are there, `back` waits for one that lasts, so that this is said in one line. */
export function createReport({ address, clientId, stableMs, onEvent }: ReportOptions): LinkReport {
  let known = false;
  let reportedReason: string | undefined;
  let awaySinceMs = 0;
  let shortLives = 0;
  let taken = false;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const sayBack = ({ protocol, sessionPresent }: Arrival) => {
    const session = sessionPresent ? 'session resumed' : 'new session';
    const message = `connected to the broker at ${address} with MQTT ${protocol}, ${session}`;
    if (reportedReason === undefined || !known) {
      onEvent({ kind: 'connected', message, protocol, sessionPresent });
    } else {
      const awayMs = Date.now() - awaySinceMs;
      onEvent({ kind: 'back', message: `${message}, after ${awayMs} ms`, protocol, sessionPresent, awayMs });
    }
    known = true;
    reportedReason = undefined;
  };
  const explain = ({ kind, reason }: Ending, wasUp: boolean): string => {
    const advice = `give each client an id of its own, this one has "${clientId}"`;
    if (kind === 'taken over') return `${reason}: ${advice}`;
    if (!wasUp || shortLives < flappingFrom) return reason;
    return `${reason} soon after each connect; perhaps another client has the same id: ${advice}`;
  };
  return {
    up(arrival) {
      const flapping = taken || shortLives >= flappingFrom;
      clearTimeout(timer);
      timer = setTimeout(() => {
        shortLives = 0;
        taken = false;
        if (flapping) sayBack(arrival);
      }, stableMs);
      timer.unref();
      if (!flapping) sayBack(arrival);
    },
    down(ending, lastedMs) {
      clearTimeout(timer);
      if (closed) return;
      if (lastedMs !== undefined) {
        shortLives = lastedMs < stableMs ? shortLives + 1 : 0;
        taken ||= ending.kind === 'taken over';
      }
      if (reportedReason === undefined) awaySinceMs = Date.now();
      const reason = explain(ending, lastedMs !== undefined);
      if (reason === reportedReason) return;
      reportedReason = reason;
      const refused = ending.kind === 'refused' || ending.kind === 'wrong protocol';
      onEvent({
        kind: refused ? 'refused' : 'away',
        message: refused
          ? `the broker at ${address}: ${reason}; trying again`
          : `no connection to the broker at ${address}: ${reason}`,
        reason,
      });
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
