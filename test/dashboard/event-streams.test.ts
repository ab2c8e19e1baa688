import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createEventStreams, type EventStreamsOptions } from '../../src/dashboard/event-streams.ts';
import { until } from '../mqtt/until.ts';
import { openEvents } from './event-client.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

test('a quiet stream says that it lives', async () => {
  const client = await openEvents(await serve({ look: () => '{}', heartbeatMs: 80, periodMs: 20 }));
  await client.event(2);
  const [first, ...beats] = client.events;
  expect(first).toBe('retry: 1000\ndata: {}');
  // as many as have come by now
  expect(new Set(beats)).toEqual(new Set(['event: beat\ndata: 1']));
  client.close();
});

test('a client that takes nothing for long is let go', async () => {
  // far more than the kernel's buffers hold
  const look = () => `{"padding":"${'x'.repeat(32_000_000)}"}`;
  const client = await openEvents(await serve({ look, patienceMs: 200, periodMs: 20 }));
  client.response.pause();
  await until(async () => (await countConnections()) === 0);
  client.response.resume();
  await client.ended;
  expect(client.events).toEqual([]);
});

async function serve(options: Omit<EventStreamsOptions, 'onError'>): Promise<string> {
  const events = createEventStreams({
    ...options,
    onError(error) {
      throw error;
    },
  });
  server = createServer((_, response) => events.open({ stream: '', filter: '', target: 0 }, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function countConnections(): Promise<number> {
  return new Promise((resolve, reject) => {
    server?.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}
