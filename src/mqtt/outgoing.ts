import { type MqttClient, ReasonCodes } from 'mqtt';
import { PublicationRefusedError } from './broker-error.ts';
import type { Protocol } from './broker-options.ts';
import { lastClientId } from './client-ids.ts';
import { createPublishPackets } from './publish-packets.ts';

/** Called once: without an error when the broker has acknowledged a publication (QoS 1) or it was written (QoS 0). */
export type Done = (error?: Error) => void;

export interface PublishOptions {
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** Publications on their way out of a connected client. */
export interface Outgoing {
  publish(topic: string, payload: string | Uint8Array, options: PublishOptions, done: Done): void;
  /** Writes at once what would wait for the end of the turn. */
  flush(): void;
  /** A PUBACK has come. @returns false when it answers nothing from here */
  acknowledge(id: number, code: number): boolean;
  /** Ends all of them, the oldest first. */
  endAll(error: Error): void;
  /** Resolves when none is left, those included that others hand in as they end. */
  drained(): Promise<void>;
}

/** Waits for the end of the turn at most. */
const mostBytes = 65_536;
const lastId = 65_535;
const mostIds = lastId - lastClientId;

/** Writes the publications of a turn of the event loop in one piece. MQTT.js makes five of each, and at QoS 1 copies it into a
 * store that its next client would not see. It writes whole packets too, so that none comes inside of another.
 * @param window how many of QoS 1 the broker takes before it has acknowledged the first: more wait */
export function createOutgoing(client: MqttClient, protocol: Protocol, window: () => number): Outgoing {
  const packets = createPublishPackets(protocol);
  /** Of QoS 1, by id, the oldest first. */
  const unacknowledged = new Map<number, Done>();
  /** Of QoS 1: beyond the window. */
  const waiting: Parameters<Outgoing['publish']>[] = [];
  /** Of QoS 0: not written yet, and written into a socket that is full. */
  let unwritten: Done[] = [];
  let undrained: Done[] = [];
  let newestId = lastId;
  const waiters: (() => void)[] = [];

  function checkDrained(): void {
    if (unacknowledged.size + waiting.length + unwritten.length + undrained.length > 0) return;
    for (const resolve of waiters.splice(0)) resolve();
  }

  function finish(all: readonly Done[], error?: Error): void {
    for (const done of all) done(error);
    checkDrained();
  }

  function flush(): void {
    if (packets.size === 0) return;
    const bytes = packets.take();
    // the end of the connection is near, and ends them
    if (client.disconnecting || !client.stream.writable) return;
    client.stream.write(bytes);
    const written = unwritten;
    unwritten = [];
    if (!client.stream.writableNeedDrain) finish(written);
    else {
      if (undrained.length === 0) client.stream.once('drain', finishDrained);
      for (const done of written) undrained.push(done);
    }
  }

  function finishDrained(): void {
    const drained = undrained;
    undrained = [];
    finish(drained);
  }

  function nextId(): number {
    do newestId = newestId === lastId ? lastClientId + 1 : newestId + 1;
    while (unacknowledged.has(newestId));
    return newestId;
  }

  const write: Outgoing['publish'] = (topic, payload, { qos, retain }, done) => {
    if (packets.size === 0) process.nextTick(flush);
    const id = qos === 1 ? nextId() : undefined;
    packets.add(topic, payload, retain, id);
    if (id === undefined) unwritten.push(done);
    else unacknowledged.set(id, done);
    if (packets.size >= mostBytes) flush();
  };

  function writeWaiting(): void {
    const next = waiting.shift();
    if (next) write(...next);
  }

  return {
    publish(topic, payload, options, done) {
      if (!isPublishable(topic)) return done(new PublicationRefusedError('not a topic to publish on'));
      if (options.qos === 0) return write(topic, payload, options, done);
      if (unacknowledged.size + waiting.length === mostIds) {
        return done(new PublicationRefusedError(`the broker has not acknowledged ${mostIds} others`));
      }
      if (unacknowledged.size < window()) write(topic, payload, options, done);
      else waiting.push([topic, payload, options, done]);
    },
    flush,
    acknowledge(id, code) {
      const done = unacknowledged.get(id);
      if (done === undefined) return false;
      unacknowledged.delete(id);
      // before those that `done` may hand in
      writeWaiting();
      const reason = ReasonCodes[code as keyof typeof ReasonCodes] ?? `reason ${code}`;
      done(code < 0x80 ? undefined : new PublicationRefusedError(reason));
      checkDrained();
      return true;
    },
    endAll(error) {
      const waited = waiting.splice(0).map(([, , , done]) => done);
      const ended = [...unacknowledged.values(), ...waited, ...undrained, ...unwritten];
      unacknowledged.clear();
      undrained = [];
      unwritten = [];
      finish(ended, error);
    },
    drained: () =>
      new Promise((resolve) => {
        waiters.push(resolve);
        checkDrained();
      }),
  };
}

/** UTF-16 units that fit the 65,535 bytes of a topic, whatever they are. */
const topicLimit = 21_845;

/** Any other topic would cost the connection of all of them. */
function isPublishable(topic: string): boolean {
  return topic.length > 0 && topic.length <= topicLimit && !/[+#\0]/.test(topic);
}
