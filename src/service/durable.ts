import { setTimeout as sleep } from 'node:timers/promises';
import { createForecast } from '../engine/answer.ts';
import type { Link } from '../mqtt/link.ts';
import type { Sink } from '../mqtt/sink.ts';
import type { ReadingObserver } from '../stream/align.ts';
import type { Reading } from '../stream/decode.ts';
import { createEncoder, type PayloadFormat } from '../stream/encode.ts';
import { createCommitter } from './committer.ts';
import type { Log } from './log.ts';
import type { KeptModel } from './snapshots.ts';
import { openStateKeeper, type StateKeeper, type StateKeeperOptions } from './state-keeper.ts';

/** When a message of QoS 1 is acknowledged: when its readings are on disk, or on arrival. auto: on-commit with MQTT 5 alone,
 * since a broker of 3.1.1 may send no more than 20 messages before it wants the first acknowledged. */
export type Acknowledging = 'auto' | 'on-commit' | 'on-receipt';

export interface StateOptions {
  /** Locked by this process for as long as the service is open. */
  readonly folder: string;
  readonly commitMs: number;
  readonly ack: Acknowledging;
}

/** The states of a service on disk. */
export interface Durable extends Pick<StateKeeper, 'recent' | 'adopt'> {
  readonly observer: ReadingObserver;
  readonly history: Iterable<readonly Reading[]>;
  /** The states were warmed by what the folder does not have. */
  noteWarmed(): void;
  /** Begins to commit, and to acknowledge, what goes down the road. */
  start(link: Link, sink: Sink): void;
  /** A batch has gone down the road. */
  onDone(): void;
  /** For the log and the page. */
  view(): {
    /** Why the disk takes nothing; null when it does. */
    readonly degraded: string | null;
    readonly unacknowledged: number;
    readonly uncommitted: number;
    readonly commits: number;
    readonly writtenBytes: number;
  };
  /** Commits and acknowledges what there is, for the last time. A broker that is stuck is not waited for. */
  end(): Promise<void>;
  /** Puts on disk what is not.
   * @throws the error of the disk */
  close(): Promise<void>;
}

export interface DurableOptions extends StateOptions, KeptModel, Pick<StateKeeperOptions, 'deliveries'> {
  readonly format?: PayloadFormat | undefined;
  readonly log: Log;
}

/** For the last commit, of the five seconds that the end of a service may take. */
const longestEndMs = 1_500;

/** The window of a broker of MQTT 3.1.1 that nobody has configured. */
const smallWindow = 20;

export function holdsReceipts(ack: Acknowledging, protocol: '5' | '3.1.1'): boolean {
  return ack === 'on-commit' || (ack === 'auto' && protocol === '5');
}

/** Fills memory and monitor with what the folder holds. */
export async function openDurable(options: DurableOptions): Promise<Durable> {
  const { commitMs, ack, log, format, deliveries } = options;
  const keeper = await openStateKeeper(options);
  const repeats = createRepeats(options, format);
  let committer: ReturnType<typeof createCommitter> | undefined;
  return {
    history: keeper.history,
    recent: keeper.recent,
    noteWarmed() {
      keeper
        .keepAll()
        .catch(({ message: reason }: Error) =>
          log.warn(
            { reason },
            'what the states were warmed by is not yet on disk; the next commit tries again',
          ),
        );
    },
    adopt(model, remember) {
      repeats.turnTo(model);
      return keeper.adopt(model, remember);
    },
    observer: {
      before: keeper.before,
      taken: keeper.taken,
      repeated: ({ stream }) => repeats.note(stream),
    },
    start(link, sink) {
      if (ack === 'auto') warnOfArrivals(link, log);
      committer = createCommitter({
        keeper,
        receipts: () => link.receipts,
        async forecastsSent() {
          repeats.publish(sink);
          await sink.emptied();
          return link.connected;
        },
        intervalMs: commitMs,
        window: () => (link.protocol === '3.1.1' ? smallWindow : Number.POSITIVE_INFINITY),
        onHealth: (trouble) => logHealth(trouble, log),
      });
      if (deliveries === undefined) return;
      link.onSession((isPresent) => {
        if (!isPresent) committer?.noteSession();
      });
    },
    onDone: () => committer?.note(),
    view: () => ({
      degraded: committer?.trouble?.message ?? null,
      unacknowledged: committer?.unacknowledged ?? 0,
      uncommitted: keeper.uncommitted,
      commits: committer?.commits ?? 0,
      writtenBytes: keeper.writtenBytes,
    }),
    async end() {
      const timer = new AbortController();
      const tooLong = sleep(longestEndMs, undefined, { signal: timer.signal }).catch(() => {});
      await Promise.race([committer?.close(), tooLong]);
      timer.abort();
    },
    close: keeper.close,
  };
}

/** With the protocol that does not say how much a broker sends, `auto` acknowledges at once. */
function warnOfArrivals(link: Link, log: Log): void {
  const forgetChange = link.onChange(() => {
    if (link.protocol !== '3.1.1') return;
    forgetChange();
    log.warn(
      {},
      'with MQTT 3.1.1 messages are acknowledged on arrival: a kill loses up to state.commit of them; see state.ack',
    );
  });
}

function logHealth(trouble: Error | undefined, log: Log): void {
  if (trouble === undefined) log.info({}, 'the disk takes states again');
  else {
    log.error({ reason: trouble.message }, 'degraded: states do not reach the disk; nothing is acknowledged');
  }
}

/** Streams whose reading came again: perhaps their forecast never arrived, and the newest goes out once more. */
function createRepeats(first: KeptModel, format: PayloadFormat | undefined) {
  let payloadOf = createRepeater(first, format);
  const streams = new Set<string>();
  return {
    note(stream: string) {
      streams.add(stream);
    },
    turnTo(model: KeptModel) {
      payloadOf = createRepeater(model, format);
    },
    publish(sink: Sink) {
      for (const stream of streams) {
        const payload = payloadOf(stream);
        if (payload !== undefined) sink.publish([{ stream, payload }]);
      }
      streams.clear();
    },
  };
}

/** The newest forecast of a stream, once more. */
function createRepeater(
  { engine: { id, model }, monitor }: KeptModel,
  format: PayloadFormat | undefined,
): (stream: string) => string | Uint8Array | undefined {
  const payloadOf = createEncoder({ model, id, format });
  const scratch = createForecast(model);
  return (stream) => {
    const record = monitor.find(stream);
    if (!record?.answer || record.health === undefined) return undefined;
    Object.assign(scratch, { stream, timeMs: record.answeredMs, health: record.health });
    scratch.values.set(record.answer);
    scratch.factors.set(record.factors);
    return payloadOf(scratch);
  };
}
