import { type MqttClient, ReasonCodes } from 'mqtt';
import { PublicationRefusedError } from './broker-error.ts';
import type { Protocol } from './broker-options.ts';
import { lastClientId } from './client-ids.ts';
import { createPublishPackets, type Publish } from './publish-packets.ts';
import type { Done } from './unfinished.ts';

export interface Publication extends Publish {
  readonly qos: 0 | 1;
}

/** Publications on their way out of a connected client. */
export interface Outgoing {
  /** `done` is called when it is acknowledged (QoS 1), when it is written, not into a socket that is full (QoS 0). */
  add(publication: Publication, done: Done): void;
  /** Writes at once what would wait for the end of the turn. */
  flush(): void;
  /** A PUBACK has come. @returns false when it answers nothing from here */
  acknowledge(id: number, code: number): boolean;
}

/** Waits for the end of the turn at most. */
const mostBytes = 65_536;
const lastId = 65_535;
const mostIds = lastId - lastClientId;

/** Writes the publications of a turn of the event loop in one piece. MQTT.js makes five of each, and at QoS 1 copies it into a
 * store that its next client would not see. It writes whole packets too, so that none comes inside of another. */
export function createOutgoing(client: MqttClient, protocol: Protocol): Outgoing {
  const packets = createPublishPackets(protocol);
  const unacknowledged = new Map<number, Done>();
  let newestId = lastId;
  let unwritten: Done[] = [];
  let undrained: Done[] = [];
  const flush = () => {
    if (packets.size === 0) return;
    const written = unwritten;
    unwritten = [];
    client.stream.write(packets.take());
    if (client.stream.writableNeedDrain) waitForDrain(written);
    else for (const done of written) done();
  };
  const waitForDrain = (written: readonly Done[]) => {
    if (undrained.length === 0) {
      client.stream.once('drain', () => {
        const drained = undrained;
        undrained = [];
        for (const done of drained) done();
      });
    }
    undrained.push(...written);
  };
  const nextId = () => {
    do newestId = newestId === lastId ? lastClientId + 1 : newestId + 1;
    while (unacknowledged.has(newestId));
    return newestId;
  };
  return {
    add(publication, done) {
      if (publication.qos === 1 && unacknowledged.size === mostIds) {
        done(new PublicationRefusedError(`the broker has not acknowledged ${mostIds} others`));
        return;
      }
      if (packets.size === 0) process.nextTick(flush);
      if (publication.qos === 0) {
        packets.add(publication);
        unwritten.push(done);
      } else {
        const id = nextId();
        packets.add(publication, id);
        unacknowledged.set(id, done);
      }
      if (packets.size >= mostBytes) flush();
    },
    flush,
    acknowledge(id, code) {
      const done = unacknowledged.get(id);
      if (done === undefined) return false;
      unacknowledged.delete(id);
      if (code < 0x80) done();
      else
        done(new PublicationRefusedError(ReasonCodes[code as keyof typeof ReasonCodes] ?? `reason ${code}`));
      return true;
    },
  };
}
