import type { Link } from '../mqtt/link.ts';
import { createThrottle } from './complaints.ts';
import type { Log } from './log.ts';
import { answerTopicOf } from './subscriptions.ts';

/** As it is published for whoever has sent a model. */
export interface ModelAnswer {
  /** null where it was too large to look at. */
  readonly id: string | null;
  readonly release: number | null;
  readonly status: 'accepted' | 'shadow' | 'promoted' | 'refused';
  readonly reason?: string;
}

export interface ModelAnswersOptions {
  readonly link: Pick<Link, 'publish' | 'onChange'>;
  /** Where models come; nothing is published when absent. */
  readonly topic: string | undefined;
  readonly models: { refused: number };
  readonly log: Log;
  /** Aborted when the service stops. */
  readonly signal: AbortSignal;
}

/** What is said of the models that come. */
export interface ModelAnswers {
  say(answer: ModelAnswer): void;
  /** Counts it too. Nothing is refused any more when the service stops.
   * @param kind of those that anybody may send: the log has one of a kind a minute */
  refuse(model: Pick<ModelAnswer, 'id' | 'release'>, reason: string, kind?: string): void;
  /** Says the last one no more when the broker comes back. */
  stop(): void;
}

const mostWaiting = 100;

export function createModelAnswers({ link, topic, models, log, signal }: ModelAnswersOptions): ModelAnswers {
  let last: ModelAnswer | undefined;
  /** The first of them is on its way: one at a time, for the forecasts take the rest of what the broker receives at once. */
  const waiting: ModelAnswer[] = [];
  const throttle = createThrottle();

  function publishFirst(): void {
    if (topic === undefined || waiting.length === 0) return;
    // lost with the connection, the last one is said again at the next
    link.publish(answerTopicOf(topic), JSON.stringify(waiting[0]), { qos: 1, retain: true }, () => {
      waiting.shift();
      publishFirst();
    });
  }

  function say(answer: ModelAnswer): void {
    last = answer;
    if (topic === undefined) return;
    // a broker that answers nothing; the newest counts
    if (waiting.length === mostWaiting) waiting.splice(1, 1);
    if (waiting.push(answer) === 1) publishFirst();
  }

  return {
    say,
    refuse({ id, release }, reason, kind) {
      if (signal.aborted) return;
      models.refused++;
      const since = kind === undefined ? 0 : throttle(kind);
      if (since !== undefined) {
        log.error({ id, release, reason, since }, 'refused a model; the one before serves on');
      }
      say({ id, release, status: 'refused', reason });
    },
    stop: link.onChange((isConnected) => {
      if (isConnected && last) say(last);
    }),
  };
}
