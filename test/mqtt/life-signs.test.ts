import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { generate, type Packet, parser } from 'mqtt-packet';
import { expect, onTestFinished, test } from 'vitest';
import { openLink } from './links.ts';
import { until } from './until.ts';

const version = { protocolVersion: 4 };

/** A broker on a slow line: whoever subscribes gets one message, in pieces, and the answers to its pings behind it. */
async function startSlowBroker(payload: Buffer, pieces: number) {
  const heard = { connects: 0, pings: 0 };
  const server = createServer((socket) => {
    let answered = Promise.resolve();
    const write = (packet: Packet) => {
      answered = answered.then(() => void socket.write(generate(packet, version)));
    };
    const packets = parser(version);
    packets.on('packet', (packet: Packet) => {
      if (packet.cmd === 'connect') {
        heard.connects++;
        write({ cmd: 'connack', sessionPresent: false, returnCode: 0 });
      } else if (packet.cmd === 'subscribe') {
        write({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: [1] });
        answered = answered.then(() => sendSlowly(socket, payload, pieces));
      } else if (packet.cmd === 'pingreq') {
        heard.pings++;
        write({ cmd: 'pingresp' });
      }
    });
    socket.on('data', (chunk) => packets.parse(chunk as Buffer));
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, heard };
}

async function sendSlowly(socket: Socket, payload: Buffer, pieces: number): Promise<void> {
  const packet = generate(
    { cmd: 'publish', topic: 'a', payload, qos: 0, dup: false, retain: false },
    version,
  );
  const length = Math.ceil(packet.length / pieces);
  for (let at = 0; at < packet.length; at += length) {
    socket.write(packet.subarray(at, at + length));
    await sleep(100);
  }
}

test.each([
  ['held', 100_000, undefined],
  ['skipped', 17_000_000, 17_000_000],
])(
  'a message that is %s and takes three times the keepalive to come costs no connection',
  async (_, bytes, skippedBytes) => {
    const { url, heard } = await startSlowBroker(Buffer.alloc(bytes), 60);
    const { link, deliveries } = await openLink({
      ...{ url, protocol: '3.1.1', keepaliveSeconds: 2 },
      filters: [{ topic: 'a', qos: 1 }],
    });
    await until(() => deliveries.length === 1);
    expect(deliveries[0].skippedBytes).toBe(skippedBytes);
    expect(link.connected).toBe(true);
    expect(heard.connects).toBe(1);
    // nor does the broker take this client for dead
    expect(heard.pings).toBeGreaterThan(2);
  },
);
