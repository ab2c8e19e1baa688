import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { generate, type Packet, parser } from 'mqtt-packet';
import { onTestFinished } from 'vitest';

/** What no broker at hand does: MQTT 5 with no more than `window` messages under way, whatever the client would take; with a
 * window of 0 it is stuck, and acknowledges nothing that is published either. */
export interface NarrowBroker {
  readonly url: string;
  /** Sends these at QoS 1 to the client that subscribes, or as soon as it does. */
  send(messages: readonly { readonly topic: string; readonly payload: string }[]): void;
  /** Messages that were acknowledged. */
  readonly acknowledged: number;
}

const version = { protocolVersion: 5 };

export async function startNarrowBroker(window: number): Promise<NarrowBroker> {
  const queue: { readonly topic: string; readonly payload: string }[] = [];
  const sockets = new Set<Socket>();
  let subscriber: Socket | undefined;
  let underWay = 0;
  let sent = 0;
  let acknowledged = 0;

  function pump(): void {
    while (subscriber && underWay < window) {
      const message = queue.shift();
      if (message === undefined) return;
      underWay++;
      sent++;
      write(subscriber, { cmd: 'publish', qos: 1, dup: false, retain: false, messageId: sent, ...message });
    }
  }

  function answer(socket: Socket, packet: Packet): void {
    const { messageId = 0 } = packet;
    if (packet.cmd === 'connect') {
      write(socket, { cmd: 'connack', sessionPresent: false, reasonCode: 0 });
    } else if (packet.cmd === 'subscribe') {
      write(socket, {
        cmd: 'suback',
        messageId,
        granted: packet.subscriptions.map(() => 1),
      });
      subscriber = socket;
      pump();
    } else if (packet.cmd === 'publish' && packet.qos === 1 && window > 0) {
      write(socket, { cmd: 'puback', messageId, reasonCode: 0 });
    } else if (packet.cmd === 'puback') {
      underWay--;
      acknowledged++;
      pump();
    } else if (packet.cmd === 'pingreq') write(socket, { cmd: 'pingresp' });
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    const packets = parser(version);
    packets.on('packet', (packet: Packet) => answer(socket, packet));
    socket.setNoDelay(true).on('data', (chunk) => packets.parse(chunk as Buffer));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    send(messages) {
      queue.push(...messages);
      pump();
    },
    get acknowledged() {
      return acknowledged;
    },
  };
}

function write(socket: Socket, packet: Packet): void {
  socket.write(generate(packet, version));
}
