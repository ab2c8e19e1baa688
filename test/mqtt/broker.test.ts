import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type EmbeddedBroker, startBroker } from '../../src/mqtt/broker.ts';
import { findPort } from './ports.ts';

let broker: EmbeddedBroker;

beforeEach(async () => {
  broker = await startBroker();
});

afterEach(() => broker.close());

test('listens on localhost only, on the port that it names', async () => {
  const socket = connect(broker.port, '127.0.0.1');
  await once(socket, 'connect');
  expect(socket.remoteAddress).toBe('127.0.0.1');
  expect(broker.url).toBe(`mqtt://127.0.0.1:${broker.port}`);
  socket.destroy();
});

test('says in one line that its port is in use', async () => {
  await expect(startBroker(broker.port)).rejects.toThrow(
    new RegExp(`^port ${broker.port} of 127\\.0\\.0\\.1 is in use: .+$`),
  );
});

test('frees its port when it closes', async () => {
  const first = await startBroker(await findPort());
  await first.close();
  const second = await startBroker(first.port);
  expect(second.port).toBe(first.port);
  await second.close();
});
