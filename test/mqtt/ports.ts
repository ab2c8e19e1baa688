import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Above all that a browser or fetch refuses, and below those that a system gives to whoever asks for any: of those, one that is
 * free now may be another client's a moment later. */
const [least, end] = [11_000, 32_768];

/** One that nobody has now. */
export async function findPort(): Promise<number> {
  for (;;) {
    const port = randomInt(least, end);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}
