import type { Receipts } from '../mqtt/receipts.ts';
import { createBrokerWindow } from './broker-window.ts';
import type { StateKeeper } from './state-keeper.ts';

export interface CommitterOptions {
  readonly keeper: Pick<StateKeeper, 'commit' | 'uncommitted' | 'unsealed'>;
  /** Of the newest connection. */
  readonly receipts: () => Receipts | undefined;
  /** Before anything is acknowledged: the forecasts that it got have to be on their way. False when there is no broker, or one
   * that has delivered messages and not yet accepted this client: then they are not. */
  readonly forecastsSent: () => Promise<boolean>;
  readonly intervalMs: number;
  /** How many messages the broker sends before it wants the first acknowledged, where that is known. */
  readonly window: () => number;
  /** The disk takes nothing, or takes it again. */
  readonly onHealth: (trouble: Error | undefined) => void;
}

/** Decides when readings go to disk, and acknowledges their messages when they are there. */
export interface Committer {
  /** The messages of a turn have gone down the road. */
  note(): void;
  /** The session at the broker is a new one: the log has to say, at once, that what it knows of the one before is over. */
  noteSession(): void;
  /** Messages that the broker keeps until their readings are on disk. */
  readonly unacknowledged: number;
  readonly commits: number;
  /** Why the disk takes nothing. */
  readonly trouble: Error | undefined;
  /** Commits what there is, acknowledges it, and commits no more. */
  close(): Promise<void>;
}

/** Messages, or readings, since the last commit began at which the next begins at once: what it writes, and what it
 * acknowledges, then holds up neither this process nor the broker. */
const mostNoted = 4096;
/** The acknowledgements of a commit go out in that many pieces, or in pieces of `leastPiece` messages: a broker reads a
 * client's packets in order, and the forecasts of now come behind them. */
const mostPieces = 256;
const leastPiece = 32;
const pauseMs = 1;
/** Nothing came for that long though the broker may send no more: it waits for us. */
const quietMs = 5;

export function createCommitter(options: CommitterOptions): Committer {
  const { keeper, forecastsSent, intervalMs, window, onHealth } = options;
  let receipts = options.receipts();
  /** Of the messages of that connection, counted from the first: gone down the road, on disk, acknowledged. */
  let [done, safe, acknowledged] = [0, 0, 0];
  /** Messages since the last commit began. */
  let noted = 0;
  let isNewSession = false;
  let commits = 0;
  let trouble: Error | undefined;
  let running: Promise<void> | undefined;
  let acknowledging: Promise<void> | undefined;
  let again = false;
  let closed = false;
  let quiet: NodeJS.Timeout | undefined;
  const learnt = createBrokerWindow();
  const timer = setInterval(() => {
    if (running === undefined && acknowledging === undefined) learnt.found(unacknowledged());
    start();
  }, intervalMs);

  /** Commits now, or when the commit under way has ended. */
  function start(): void {
    clearTimeout(quiet);
    quiet = undefined;
    if (closed) return;
    if (running !== undefined) {
      again = true;
      return;
    }
    if (unacknowledged() === 0 && keeper.uncommitted === 0 && !isNewSession) return;
    running = commit().finally(() => {
      running = undefined;
      if (!again || closed) return;
      again = false;
      start();
    });
  }

  async function commit(): Promise<void> {
    const [from, upTo] = [receipts, done];
    const wasNewSession = isNewSession;
    noted = 0;
    isNewSession = false;
    try {
      await keeper.commit();
    } catch (error) {
      // unacknowledged, the broker keeps them; the interval tries again
      again = false;
      isNewSession ||= wasNewSession;
      setTrouble(error as Error);
      return;
    }
    commits++;
    setTrouble(undefined);
    if (from === receipts) safe = upTo;
    // of its own: a broker that takes forecasts slowly keeps no reading from the disk
    acknowledging ??= acknowledge();
  }

  async function acknowledge(): Promise<void> {
    try {
      for (let upTo = -1; upTo < safe; ) {
        const from = receipts;
        upTo = safe;
        if (!(await forecastsSent()) || from !== receipts) return;
        learnt.acknowledged();
        const most = Math.max(leastPiece, Math.ceil((upTo - acknowledged) / mostPieces));
        while (acknowledged < upTo && from === receipts) {
          const piece = closed ? upTo - acknowledged : Math.min(most, upTo - acknowledged);
          acknowledged += piece;
          from?.acknowledge(piece);
          if (acknowledged < upTo) await new Promise((resolve) => setTimeout(resolve, pauseMs));
        }
      }
    } finally {
      // in the turn in which it looked for more: a commit that ends in the next one begins it anew
      acknowledging = undefined;
    }
  }

  function setTrouble(found: Error | undefined): void {
    const isNews = (found === undefined) !== (trouble === undefined);
    trouble = found;
    if (isNews) onHealth(found);
  }

  /** Of a connection that is lost none: the broker delivers them again. */
  function unacknowledged(): number {
    return Math.min(done - acknowledged, receipts?.waiting ?? 0);
  }

  /** @returns how many have come */
  function countMessages(): number {
    const current = options.receipts();
    if (current !== receipts) [done, safe, acknowledged] = [0, 0, 0];
    receipts = current;
    const came = Math.max(0, acknowledged + (receipts?.waiting ?? 0) - done);
    done += came;
    noted += came;
    return came;
  }

  return {
    note() {
      const came = countMessages();
      const waiting = unacknowledged();
      if (came > 0) learnt.came(waiting);
      // a disk in trouble is tried at the interval, and not with every message
      if (trouble !== undefined) return;
      if (Math.max(noted, keeper.unsealed) >= mostNoted) start();
      else if (came === 0) return;
      else if (waiting === window() || waiting === learnt.messages) start();
      else if (waiting > window()) {
        if (quiet) quiet.refresh();
        else quiet = setTimeout(start, quietMs);
      }
    },
    noteSession() {
      isNewSession = true;
      start();
    },
    get unacknowledged() {
      return unacknowledged();
    },
    get commits() {
      return commits;
    },
    get trouble() {
      return trouble;
    },
    async close() {
      closed = true;
      clearInterval(timer);
      clearTimeout(quiet);
      await running;
      await commit();
      await acknowledging;
    },
  };
}
