import type { Link } from '../../src/mqtt/link.ts';
import type { SensorMessage } from './sensors.ts';

/** Publishes at QoS 1 and at a pace, in order, and again what the broker has not acknowledged. */
export interface Sender {
  /** Messages that the broker has acknowledged. */
  readonly acknowledged: number;
  readonly sent: number;
  /** Its own messages end here. Resolves when the broker has all of them, and the rest. */
  finish(rest: Iterable<SensorMessage>): Promise<void>;
}

export interface SenderOptions {
  readonly link: Link;
  readonly messages: Iterator<SensorMessage>;
  readonly perSecond: number;
  readonly topicOf: (message: SensorMessage) => string;
  /** Hears of each message once, in order. */
  readonly onMessage: (message: SensorMessage) => void;
}

/** Messages under way: the broker takes more, but a restart sends them all again. */
const mostUnderWay = 5_000;
const tickMs = 5;
/** A pause of this process is caught up with up to here. */
const longestTickMs = 100;

export function createSender({ link, messages, perSecond, topicOf, onMessage }: SenderOptions): Sender {
  /** Not yet sent on this connection, the oldest first. */
  let waiting: SensorMessage[] = [];
  let lost: SensorMessage[] = [];
  let underWay = 0;
  let sent = 0;
  let acknowledged = 0;
  let due = 0;
  let tickedMs = performance.now();
  let finished = () => {};

  function send(message: SensorMessage): void {
    underWay++;
    link.publish(topicOf(message), message.payload, { qos: 1, retain: false }, (error) => {
      underWay--;
      if (error) lost.push(message);
      else acknowledged++;
      if (acknowledged === sent) finished();
    });
  }

  function sendWaiting(): void {
    while (link.connected && waiting.length > 0 && underWay < mostUnderWay) {
      send(waiting.shift() as SensorMessage);
    }
  }

  function take(message: SensorMessage): void {
    onMessage(message);
    sent++;
    waiting.push(message);
  }

  link.onChange((connected) => {
    // what the lost connection had under way has come back by now, in its order
    waiting = [...lost, ...waiting];
    lost = [];
    if (connected) sendWaiting();
  });
  const timer = setInterval(() => {
    const nowMs = performance.now();
    const passedMs = Math.min(nowMs - tickedMs, longestTickMs);
    tickedMs = nowMs;
    // a broker that is away is no reason to catch up
    due = link.connected && waiting.length === 0 ? due + (perSecond * passedMs) / 1000 : 0;
    for (; due >= 1; due--) take(messages.next().value);
    sendWaiting();
  }, tickMs);
  return {
    get acknowledged() {
      return acknowledged;
    },
    get sent() {
      return sent;
    },
    async finish(rest) {
      clearInterval(timer);
      for (const message of rest) take(message);
      if (acknowledged === sent) return;
      const all = new Promise<void>((resolve) => {
        finished = resolve;
      });
      const pump = setInterval(sendWaiting, tickMs);
      await all;
      clearInterval(pump);
    },
  };
}
