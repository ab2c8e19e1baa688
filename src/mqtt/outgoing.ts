import type { MqttClient } from 'mqtt';
import type { Protocol } from './broker-options.ts';
import { createPublishPackets } from './publish-packets.ts';
import type { Done } from './unfinished.ts';

/** Publications of QoS 0, on their way into the socket of a connected client. */
export interface Outgoing {
  /** `done` is called when it is written; not in a socket that is full, before that drains. */
  add(topic: string, payload: string | Uint8Array, retain: boolean, done: Done): void;
  /** Writes what waits for the end of the turn now. */
  flush(): void;
}

/** What waits for the end of the turn at most. */
const mostBytes = 65_536;

/** Writes past MQTT.js, which knows nothing of a publication of QoS 0 once it is written: those of a turn of the event loop in
 * one piece, where it makes five of each. MQTT.js writes whole packets too, so that none comes inside of another. */
export function createOutgoing(client: MqttClient, protocol: Protocol): Outgoing {
  const packets = createPublishPackets(protocol);
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
  return {
    add(topic, payload, retain, done) {
      if (packets.size === 0) process.nextTick(flush);
      packets.add(topic, payload, retain);
      unwritten.push(done);
      if (packets.size >= mostBytes) flush();
    },
    flush,
  };
}
