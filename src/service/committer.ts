import { type Acknowledger, type AcknowledgerOptions, createAcknowledger } from './acknowledger.ts';
import { createBrokerWindow } from './broker-window.ts';
import type { StateKeeper } from './state-keeper.ts';

export interface CommitterOptions extends AcknowledgerOptions {
  readonly keeper: Pick<StateKeeper, 'commit' | 'isBehind' | 'unsealed'>;
  readonly intervalMs: number;
  /** How many messages the broker sends before it wants the first acknowledged, where that is known. */
  readonly window: () => number;
  /** The disk takes nothing, or takes it again. */
  readonly onHealth: (trouble: Error | undefined) => void;
}

/** Decides when readings go to disk, and has their messages acknowledged when they are there. */
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
/** Nothing came for that long though the broker may send no more: it waits for us. */
const quietMs = 5;

export function createCommitter(options: CommitterOptions): Committer {
  const { keeper, intervalMs, window } = options;
  const learnt = createBrokerWindow();
  const acknowledger = createAcknowledger(options, learnt.acknowledged);
  const commits = createCommits(options, acknowledger);
  const timer = setInterval(() => {
    if (!commits.isRunning && acknowledger.running === undefined) learnt.found(acknowledger.unacknowledged);
    commits.start();
  }, intervalMs);
  return {
    note() {
      const came = acknowledger.count();
      commits.noteMessages(came);
      const waiting = acknowledger.unacknowledged;
      if (came > 0) learnt.came(waiting);
      // a disk in trouble is tried at the interval, and not with every message
      if (commits.trouble !== undefined) return;
      if (Math.max(commits.noted, keeper.unsealed) >= mostNoted) commits.start();
      else if (came === 0) return;
      else if (waiting === window() || waiting === learnt.messages) commits.start();
      else if (waiting > window()) commits.startWhenQuiet();
    },
    noteSession: commits.noteSession,
    get unacknowledged() {
      return acknowledger.unacknowledged;
    },
    get commits() {
      return commits.count;
    },
    get trouble() {
      return commits.trouble;
    },
    async close() {
      clearInterval(timer);
      acknowledger.hurry();
      await commits.close();
      await acknowledger.running;
    },
  };
}

/** One commit after the other. */
function createCommits({ keeper, onHealth }: CommitterOptions, acknowledger: Acknowledger) {
  let noted = 0;
  let isNewSession = false;
  let count = 0;
  let trouble: Error | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let closed = false;
  let quiet: NodeJS.Timeout | undefined;

  function start(): void {
    clearTimeout(quiet);
    quiet = undefined;
    if (closed) return;
    if (running !== undefined) {
      again = true;
      return;
    }
    if (acknowledger.unacknowledged === 0 && !keeper.isBehind && !isNewSession) return;
    running = commit().finally(() => {
      running = undefined;
      if (!again || closed) return;
      again = false;
      start();
    });
  }

  async function commit(): Promise<void> {
    const mark = acknowledger.mark();
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
    count++;
    setTrouble(undefined);
    // not awaited: a broker that takes forecasts slowly keeps no reading from the disk
    acknowledger.start(mark);
  }

  function setTrouble(found: Error | undefined): void {
    const isNews = (found === undefined) !== (trouble === undefined);
    trouble = found;
    if (isNews) onHealth(found);
  }

  return {
    get isRunning() {
      return running !== undefined;
    },
    get count() {
      return count;
    },
    get trouble() {
      return trouble;
    },
    /** Messages since the last commit began. */
    get noted() {
      return noted;
    },
    noteMessages(came: number) {
      noted += came;
    },
    noteSession() {
      isNewSession = true;
      start();
    },
    /** Now, or when the commit under way has ended. */
    start,
    startWhenQuiet() {
      if (quiet) quiet.refresh();
      else quiet = setTimeout(start, quietMs);
    },
    /** Behind the commit under way the last one. */
    async close() {
      closed = true;
      clearTimeout(quiet);
      await running;
      await commit();
    },
  };
}
