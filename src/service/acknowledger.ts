import type { Receipts } from '../mqtt/receipts.ts';

export interface AcknowledgerOptions {
  /** Of the newest connection. */
  readonly receipts: () => Receipts | undefined;
  /** Before anything is acknowledged: the forecasts that it got have to be on their way. False when there is no broker, or one
   * that has delivered messages and not yet accepted this client: then they are not. */
  readonly forecastsSent: () => Promise<boolean>;
}

/** Tells the broker of messages whose readings are on disk. */
export interface Acknowledger {
  /** Takes note of what has gone down the road.
   * @returns how many messages have come since the last call */
  count(): number;
  /** Messages that the broker keeps. Of a connection that is lost none: it delivers them again. */
  readonly unacknowledged: number;
  /** All messages counted up to now. */
  mark(): ReceiptMark;
  /** Acknowledges the messages of a mark, which are on disk, behind those under way. */
  start(safe: ReceiptMark): void;
  /** What is under way. */
  readonly running: Promise<void> | undefined;
  /** From here on without pauses: the end is near. */
  hurry(): void;
}

/** So many messages of one connection, counted from its first. */
interface ReceiptMark {
  readonly of: Receipts | undefined;
  readonly messages: number;
}

/** The acknowledgements of a commit go out in that many pieces, or in pieces of `leastPiece` messages: a broker reads a
 * client's packets in order, and the forecasts of now come behind them. */
const mostPieces = 256;
const leastPiece = 32;
const pauseMs = 1;

/** @param onStart before the first acknowledgement of a commit */
export function createAcknowledger(options: AcknowledgerOptions, onStart: () => void): Acknowledger {
  let receipts = options.receipts();
  /** Of the messages of that connection, counted from the first: gone down the road, on disk, acknowledged. */
  let [done, safe, acknowledged] = [0, 0, 0];
  let running: Promise<void> | undefined;
  let isHurried = false;

  async function acknowledge(): Promise<void> {
    try {
      for (let upTo = -1; upTo < safe; ) {
        const from = receipts;
        upTo = safe;
        if (!(await options.forecastsSent()) || from !== receipts) return;
        onStart();
        await acknowledgePieces(from, upTo);
      }
    } finally {
      // in the turn in which it looked for more: a commit that ends in the next one begins it anew
      running = undefined;
    }
  }

  async function acknowledgePieces(from: Receipts | undefined, upTo: number): Promise<void> {
    const most = Math.max(leastPiece, Math.ceil((upTo - acknowledged) / mostPieces));
    while (acknowledged < upTo && from === receipts) {
      const piece = isHurried ? upTo - acknowledged : Math.min(most, upTo - acknowledged);
      acknowledged += piece;
      from?.acknowledge(piece);
      if (acknowledged < upTo) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  return {
    count() {
      const current = options.receipts();
      if (current !== receipts) [done, safe, acknowledged] = [0, 0, 0];
      receipts = current;
      const came = Math.max(0, acknowledged + (receipts?.waiting ?? 0) - done);
      done += came;
      return came;
    },
    get unacknowledged() {
      return Math.min(done - acknowledged, receipts?.waiting ?? 0);
    },
    mark: () => ({ of: receipts, messages: done }),
    start({ of, messages }) {
      if (of === receipts) safe = messages;
      running ??= acknowledge();
    },
    get running() {
      return running;
    },
    hurry() {
      isHurried = true;
    },
  };
}
