import { ConnectionLostError } from '../mqtt/broker-error.ts';
import type { Link } from '../mqtt/link.ts';
import type { TopicPattern } from '../mqtt/topic.ts';
import { createTurn } from './turn.ts';

export interface PlayedMessage {
  readonly stream: string;
  /** For a topic with a place for it. */
  readonly feature?: string | undefined;
  readonly payload: string;
  /** How many numbers are in the payload. */
  readonly numbers: number;
}

/** All messages of one time. */
export interface Tick<M extends PlayedMessage = PlayedMessage> {
  readonly timeMs: number;
  readonly messages: readonly M[];
}

export interface PlayerOptions<M extends PlayedMessage = PlayedMessage> {
  /** Open: the clock starts at once. */
  readonly link: Link;
  readonly topics: TopicPattern;
  /** In the order of time. Taken as they are due, so that a long recording need not be in memory as messages. */
  readonly ticks: Iterable<Tick<M>>;
  /** Times as fast as the ticks' times; Infinity: as fast as the broker takes them. */
  readonly speed: number;
  readonly qos: 0 | 1;
  readonly retain?: boolean | undefined;
  /** Called right before a message is published for the first time. */
  readonly onPublish?: ((message: M) => void) | undefined;
}

/** Plays ticks to a broker. At QoS 1 every message arrives, and per stream the first deliveries are in order. */
export interface Player {
  /** Handed to the link, all of their messages. */
  readonly ticks: number;
  /** Acknowledged by the broker (QoS 1), written to the socket (QoS 0); and the numbers in them. */
  readonly messages: number;
  readonly numbers: number;
  /** Publications made once more, because their connection ended before they were known to have arrived. */
  readonly again: number;
  /** Messages that were published and are not known to have arrived. */
  readonly unfinished: number;
  /** Resolves when all is finished; after `stop`, when what was under way is, or the broker is away.
   * @throws PlayerError */
  readonly done: Promise<void>;
  /** Publishes nothing new. */
  stop(): void;
}

export class PlayerError extends Error {
  override readonly name = 'PlayerError';
}

/** Enough to keep a broker busy, and what a loss of the connection repeats at most. */
const unfinishedLimit = 1_000;
/** Messages in one turn of the event loop: between two turns acknowledgements are read. */
const turnLimit = 256;
/** Connections in a row that end without a single acknowledgement: the broker does not want what they carry. */
const fruitlessLimit = 5;

export function startPlayer<M extends PlayedMessage>(options: PlayerOptions<M>): Player {
  const { link, topics, qos, retain = false, onPublish } = options;
  const score = createScore(options.ticks, options.speed);
  const repeats = createRepeats<M>();
  const fruitless = createFruitlessGuard();
  const turn = createTurn(() => advance());
  const limit = () => (qos === 0 ? unfinishedLimit : Math.min(unfinishedLimit, link.window));
  let inFlight = 0;
  let [messages, numbers, again] = [0, 0, 0];
  let stopped = false;
  let over = false;
  let settle = (_?: Error) => {};
  const done = new Promise<void>((resolve, reject) => {
    settle = (error) => (error ? reject(error) : resolve());
  });
  const finish = (error?: Error) => {
    over = true;
    turn.cancel();
    detach();
    settle(error);
  };
  const send = (message: M) => {
    const topic = topics.topicOf(message.stream, message.feature);
    inFlight++;
    link.publish(topic, message.payload, { qos, retain }, (error) => {
      inFlight--;
      if (!error) {
        messages++;
        numbers += message.numbers;
        fruitless.arrived();
      } else if (error instanceof ConnectionLostError) repeats.add(message);
      else if (!over) finish(refusal(topic, error));
      if (!over) turn.soon();
    });
  };
  const sendNext = (): boolean => {
    const repeated = repeats.take();
    if (repeated) {
      again++;
      send(repeated);
      return true;
    }
    if (stopped || score.waitMs() > 0) return false;
    const message = score.take();
    onPublish?.(message);
    send(message);
    return true;
  };
  const isFinished = () => {
    if (inFlight > 0) return false;
    if (repeats.size > 0) return stopped && !link.connected;
    return stopped || score.waitMs() === Number.POSITIVE_INFINITY;
  };
  const advance = () => {
    if (link.connected) repeats.rejoin();
    let sent = 0;
    while (sent < turnLimit && !over && link.connected && inFlight < limit() && sendNext()) sent++;
    if (over) return;
    if (isFinished()) finish();
    else if (sent === turnLimit) turn.soon();
    // without room, an acknowledgement or the connection brings the next turn
    else if (link.connected && inFlight < limit() && !stopped) turn.after(score.waitMs());
  };
  const detach = link.onChange((connected) => {
    const lost = repeats.oldest;
    if (!connected && lost && fruitless.ended()) finish(unwanted(topics.topicOf(lost.stream, lost.feature)));
    else turn.soon();
  });
  turn.soon();

  return {
    get ticks() {
      return score.taken;
    },
    get messages() {
      return messages;
    },
    get numbers() {
      return numbers;
    },
    get again() {
      return again;
    },
    get unfinished() {
      return inFlight + repeats.size;
    },
    done,
    stop() {
      stopped = true;
      if (!over) turn.soon();
    },
  };
}

/** The messages in their order, and how long the next one has to wait. */
function createScore<M extends PlayedMessage>(ticks: Iterable<Tick<M>>, speed: number) {
  const iterator = ticks[Symbol.iterator]();
  const startMs = performance.now();
  let current = iterator.next();
  let index = 0;
  let taken = 0;
  const firstMs: number = current.done ? 0 : current.value.timeMs;
  const skipFinished = () => {
    while (!current.done && index === current.value.messages.length) {
      current = iterator.next();
      index = 0;
      taken++;
    }
  };
  skipFinished();
  return {
    get taken() {
      return taken;
    },
    /** Infinity after the last one. */
    waitMs(): number {
      if (current.done) return Number.POSITIVE_INFINITY;
      return Math.max(0, startMs + (current.value.timeMs - firstMs) / speed - performance.now());
    },
    take(): M {
      const message = (current.value as Tick<M>).messages[index++];
      skipFinished();
      return message;
    },
  };
}

/** Messages that were published, did not surely arrive, and are published again before anything new. */
function createRepeats<M>() {
  let waiting: M[] = [];
  /** By the connection that has just ended; older than all that wait. */
  let returned: M[] = [];
  return {
    get size() {
      return waiting.length + returned.length;
    },
    get oldest(): M | undefined {
      return returned[0] ?? waiting[0];
    },
    /** In the order in which they were published. */
    add(message: M) {
      returned.push(message);
    },
    /** When all of the lost connection have come back. */
    rejoin() {
      if (returned.length === 0) return;
      waiting = [...returned, ...waiting];
      returned = [];
    },
    take: () => waiting.shift(),
  };
}

/** Without it, a broker that ends the connection over each message would be asked for ever. */
function createFruitlessGuard() {
  let inRow = 0;
  return {
    arrived() {
      inRow = 0;
    },
    /** @returns true when it is enough */
    ended: () => ++inRow >= fruitlessLimit,
  };
}

function refusal(topic: string, cause: Error): PlayerError {
  return new PlayerError(`the broker refuses a message on ${topic}: ${cause.message}`, { cause });
}

function unwanted(topic: string): PlayerError {
  return new PlayerError(
    `the broker ended ${fruitlessLimit} connections in a row without taking the message on ${topic}; ` +
      'may this user publish there?',
  );
}
