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
  let again = createRepeater(options, format);
  /** Streams whose reading came again: perhaps their forecast never arrived. */
  const repeated = new Set<string>();
  let committer: ReturnType<typeof createCommitter> | undefined;

  function publishRepeated(sink: Sink): void {
    for (const stream of repeated) {
      const payload = again(stream);
      if (payload !== undefined) sink.publish([{ stream, payload }]);
    }
    repeated.clear();
  }

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
      again = createRepeater(model, format);
      return keeper.adopt(model, remember);
    },
    observer: {
      before: keeper.before,
      taken: keeper.taken,
      repeated: ({ stream }) => repeated.add(stream),
    },
    start(link, sink) {
      const forgetChange = link.onChange(() => {
        if (ack !== 'auto' || link.protocol !== '3.1.1') return;
        forgetChange();
        log.warn(
          {},
          'with MQTT 3.1.1 messages are acknowledged on arrival: a kill loses up to state.commit of them; see state.ack',
        );
      });
      committer = createCommitter({
        keeper,
        receipts: () => link.receipts,
        async forecastsSent() {
          publishRepeated(sink);
          await sink.emptied();
          return link.connected;
        },
        intervalMs: commitMs,
        window: () => (link.protocol === '3.1.1' ? smallWindow : Number.POSITIVE_INFINITY),
        onHealth(trouble) {
          if (trouble === undefined) log.info({}, 'the disk takes states again');
          else
            log.error(
              { reason: trouble.message },
              'degraded: states do not reach the disk; nothing is acknowledged',
            );
        },
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
