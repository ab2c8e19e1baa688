import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP link to a broker that can be cut and slowed down. */
export interface Wire {
  readonly port: number;
  /** Ends all connections, without a word of MQTT. */
  cut(): void;
  /** What comes from now on arrives that much later; 0 lets it through. `up`: what the client says, and no more. */
  delay(ms: number, direction?: 'both' | 'up'): void;
  close(): Promise<void>;
}

export async function layWire(brokerPort: number): Promise<Wire> {
  const ends = new Set<Socket>();
  let upMs = 0;
  let downMs = 0;
  const server = createServer((near) => {
    const far = connect(brokerPort, '127.0.0.1');
    for (const [from, to, delayMs] of [
      [near, far, () => upMs],
      [far, near, () => downMs],
    ] as const) {
      ends.add(from);
      forward(from.setNoDelay(true), to, delayMs);
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
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    delay(ms, direction = 'both') {
      upMs = ms;
      if (direction === 'both') downMs = ms;
    },
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Writes what comes, in its order, each chunk when its delay is over. */
function forward(from: Socket, to: Socket, delayMs: () => number): void {
  let queue = Promise.resolve();
  let waiting = 0;
  const inTurn = (ms: number, work: () => unknown) => {
    if (waiting === 0 && ms === 0) {
      work();
      return;
    }
    waiting++;
    const due = new Promise((resolve) => setTimeout(resolve, ms).unref());
    queue = queue.then(async () => {
      await due;
      waiting--;
      work();
    });
  };
  from.on('data', (chunk) =>
    inTurn(delayMs(), () => {
      if (to.destroyed || to.write(chunk)) return;
      from.pause();
      to.once('drain', () => from.resume());
    }),
  );
  from.on('end', () => inTurn(0, () => to.end()));
}
