import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A wire to a broker that a test may cut. */
export interface Cable {
  readonly url: string;
  /** Connections so far. */
  readonly connections: number;
  /** All bytes from the client. */
  readonly sent: Buffer;
  /** Ends all connections, without a word of MQTT. */
  cut(): void;
  /** While it is out, new connections end at once. */
  unplug(): void;
  plug(): void;
}

export async function layCable(brokerPort: number): Promise<Cable> {
  const ends = new Set<Socket>();
  let plugged = true;
  let connections = 0;
  let sent = Buffer.alloc(0);
  const server = createServer((near) => {
    if (!plugged) return near.destroy();
    connections++;
    const far = connect(brokerPort, '127.0.0.1');
    near.on('data', (bytes: Buffer) => {
      sent = Buffer.concat([sent, bytes]);
    });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      ends.add(from);
      from.pipe(to);
      from.on('error', () => {});
      from.on('close', () => {
        ends.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const end of ends) end.destroy();
  };
  onTestFinished(async () => {
    cut();
    server.close();
    await once(server, 'close');
  });
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    get sent() {
      return sent;
    },
    cut,
    unplug() {
      plugged = false;
      cut();
    },
    plug() {
      plugged = true;
    },
  };
}
