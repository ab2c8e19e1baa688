import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Aedes } from 'aedes';

class PortInUseError extends Error {
  override readonly name = 'PortInUseError';
}

export interface EmbeddedBroker {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** A broker inside this process, on localhost only: for the demo and for tests. It keeps nothing on disk.
 * @param port 0 takes a free one */
export async function startBroker(port = 0): Promise<EmbeddedBroker> {
  const aedes = await Aedes.createBroker();
  const server = createServer({ noDelay: true }, aedes.handle);
  const closeAedes = () => new Promise<void>((resolve) => aedes.close(() => resolve()));
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    await closeAedes();
    throw (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? portInUse(port, error) : error;
  }
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `mqtt://127.0.0.1:${bound}`,
    port: bound,
    async close() {
      const closed = once(server, 'close');
      server.close();
      await closeAedes();
      await closed;
    },
  };
}

function portInUse(port: number, cause: unknown): PortInUseError {
  return new PortInUseError(
    `port ${port} of 127.0.0.1 is in use: name another one, or none to get a free one`,
    {
      cause,
    },
  );
}
