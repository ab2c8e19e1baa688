import { once } from 'node:events';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { Aedes } from 'aedes';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type EmbeddedBroker, startBroker } from '../../src/mqtt/broker.ts';
import {
  BrokerConnectionError,
  BrokerRefusedError,
  ConnectionLostError,
} from '../../src/mqtt/broker-error.ts';
import { layCable } from './cable.ts';
import { makeLink, openInVain, openLink, send, textOf } from './links.ts';
import { findPort } from './ports.ts';
import { until } from './until.ts';

let broker: EmbeddedBroker;

beforeEach(async () => {
  broker = await startBroker();
});

afterEach(async () => {
  vi.restoreAllMocks();
  await broker.close();
});

describe('a link', () => {
  test('falls back to 3.1.1 when the broker refuses 5, and keeps its handlers', async () => {
    const { link, events, deliveries } = await openLink({
      url: broker.url,
      filters: [{ topic: 'a', qos: 1 }],
    });
    expect(link.protocol).toBe('3.1.1');
    expect(link.address).toBe(`127.0.0.1:${broker.port}`);
    expect(events).toEqual([
      {
        kind: 'connected',
        protocol: '3.1.1',
        sessionPresent: false,
        message: `connected to the broker at ${link.address} with MQTT 3.1.1, new session`,
      },
    ]);
    await send(link, 'a', 'heard');
    await until(() => deliveries.length === 1);
    expect(deliveries[0]).toMatchObject({ topic: 'a', retain: false, dup: false });
  });

  test('does not fall back when it may speak 5 only', async () => {
    const { link } = makeLink({ url: broker.url, protocol: '5' });
    const failure = await link.open().catch((error: Error) => error);
    expect(failure).toBeInstanceOf(BrokerRefusedError);
    expect(String(failure)).toBe(
      `BrokerRefusedError: the broker at ${link.address}: it does not speak this version of MQTT (code 1)`,
    );
  });

  test('switches off the delay of small packets on every connection', async () => {
    const cable = await layCable(broker.port);
    const noDelay = vi.spyOn(Socket.prototype, 'setNoDelay');
    const { link } = await openLink({ url: cable.url, protocol: '3.1.1' });
    expect(noDelay.mock.calls).toEqual([[true]]);
    cable.cut();
    await until(() => link.reconnects === 1);
    expect(noDelay.mock.calls).toEqual([[true], [true]]);
    expect(new Set(noDelay.mock.contexts).size).toBe(2);
  });

  test('comes back by itself, subscribes again and says so once for each change', async () => {
    const cable = await layCable(broker.port);
    const { link, events, deliveries } = await openLink({
      url: cable.url,
      protocol: '3.1.1',
      filters: [{ topic: 'a', qos: 0 }],
    });
    const changes: boolean[] = [];
    link.onChange((connected) => changes.push(connected));
    cable.unplug();
    await until(() => events.at(-1)?.kind === 'away' && !link.connected);
    await until(() => cable.connections === 1);
    cable.plug();
    await until(() => link.connected);
    expect(events.map(({ kind }) => kind)).toEqual(['connected', 'away', 'back']);
    expect(events[1]?.message).toBe(
      `no connection to the broker at ${link.address}: the broker closed the connection`,
    );
    expect(events[2]?.message).toMatch(
      /^connected to the broker at \S+ with MQTT 3\.1\.1, new session, after \d+ ms$/,
    );
    expect(changes).toEqual([false, true]);
    expect(link.reconnects).toBe(1);
    const other = await openLink({ url: broker.url });
    await send(other.link, 'a', 'heard again');
    await until(() => deliveries.length === 1);
  });

  test('reports another reason for being away, and the same one only once', async () => {
    const cable = await layCable(broker.port);
    const own = await startBroker(await findPort());
    const { link, events } = await openLink({ url: own.url, protocol: '3.1.1' });
    await own.close();
    await until(() => events.length === 3);
    expect(events.map(({ message }) => message)).toEqual([
      expect.stringContaining('connected'),
      `no connection to the broker at ${link.address}: the broker closed the connection`,
      `no connection to the broker at ${link.address}: connect ECONNREFUSED ${link.address}`,
    ]);
    const again = await startBroker(own.port);
    await until(() => link.connected);
    expect(events).toHaveLength(4);
    await link.close();
    await again.close();
    cable.cut();
  });

  test('gives up after its time, and says in one line that there is no broker', async () => {
    const made = makeLink({ url: 'mqtt://somebody:secret@127.0.0.1:1' });
    const failure = await openInVain(made);
    const { events } = made;
    expect(failure).toBeInstanceOf(BrokerConnectionError);
    expect(String(failure)).toBe(
      'BrokerConnectionError: no connection to the broker at 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1',
    );
    expect(events.map(({ kind }) => kind)).toEqual(['away']);
    expect(JSON.stringify(events)).not.toMatch(/somebody|secret/);
  });

  test('gives up on a server that accepts and stays silent', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await once(silent, 'listening');
    const { link } = makeLink({ url: `mqtt://127.0.0.1:${(silent.address() as AddressInfo).port}` });
    await expect(link.open({ timeoutMs: 100 })).rejects.toThrow('no answer in 100 ms');
    await link.close();
  });

  test('goes on after garbage from the other side, and waits for a broker that starts late', async () => {
    const garbage = createServer((socket) => void socket.resume().end(Buffer.alloc(64, 0xff)));
    const port = await findPort();
    garbage.listen(port, '127.0.0.1');
    await once(garbage, 'listening');
    const { link, events } = makeLink({ url: `mqtt://127.0.0.1:${port}` });
    const opened = link.open();
    await until(() => events.length > 0);
    garbage.close();
    await once(garbage, 'close');
    const late = await startBroker(port);
    await opened;
    expect(link.connected).toBe(true);
    await link.close();
    await late.close();
  });

  test('a second client of the same id is named in one line, not in one for each of their fights', async () => {
    const options = { url: broker.url, protocol: '3.1.1', clientId: 'twin' } as const;
    const backOff = { firstMs: 5, maxMs: 10 };
    const first = await openLink({ ...options, backOff });
    await openLink({ ...options, backOff });
    await until(() => first.link.reconnects >= 10);
    const lines = first.events.map(({ message }) => message);
    expect(lines.filter((line) => line.includes('perhaps another client has the same id'))).toEqual([
      `no connection to the broker at ${first.link.address}: the broker closed the connection soon after each connect; ` +
        'perhaps another client has the same id: give each client an id of its own, this one has "twin"',
    ]);
    expect(lines.length).toBeLessThan(8);
  });

  test('says that it is back when a fight is over', async () => {
    const cable = await layCable(broker.port);
    const { link, events } = await openLink({
      url: cable.url,
      protocol: '3.1.1',
      backOff: { firstMs: 5, maxMs: 10, stableMs: 300 },
    });
    // where this machine stalls between two of them, more are a fight
    let cuts = 0;
    while (cuts < 5 || events.at(-1)?.kind !== 'away') {
      cable.cut();
      cuts++;
      await until(() => link.reconnects === cuts);
    }
    expect(cuts).toBeLessThan(15);
    await until(() => events.at(-1)?.kind === 'back');
  });

  test('a subscription that the broker refuses ends the first open', async () => {
    const strict = await Aedes.createBroker({
      authorizeSubscribe: (_, subscription, done) =>
        done(null, subscription.topic === 'allowed' ? subscription : null),
    });
    const server = createServer(strict.handle).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const filters = [
      { topic: 'allowed', qos: 0 as const },
      { topic: 'forbidden', qos: 0 as const },
    ];
    const { link } = makeLink({ url: `mqtt://127.0.0.1:${port}`, filters });
    const failure = await link.open().catch((error: Error) => error);
    expect(failure).toBeInstanceOf(BrokerRefusedError);
    expect(String(failure)).toBe(
      `BrokerRefusedError: the broker at 127.0.0.1:${port}: no subscription to forbidden: Unspecified error`,
    );
    server.close();
    await new Promise<void>((resolve) => strict.close(() => resolve()));
  });
});

describe('the status topic', () => {
  test('is online while the link is, offline when it is cut or closed', async () => {
    const cable = await layCable(broker.port);
    const watcher = await openLink({ url: broker.url, filters: [{ topic: 'status', qos: 1 }] });
    const seen = () => watcher.deliveries.map(textOf);
    const { link } = await openLink({ url: cable.url, statusTopic: 'status', protocol: '3.1.1' });
    await until(() => seen().length === 1);
    cable.unplug();
    await until(() => seen().length === 2);
    cable.plug();
    await until(() => seen().length === 3);
    await until(() => link.connected);
    await link.close();
    await until(() => seen().length === 4);
    expect(seen()).toEqual(['online', 'offline', 'online', 'offline']);
    const late = await openLink({ url: broker.url, filters: [{ topic: 'status', qos: 1 }] });
    await until(() => late.deliveries.length === 1);
    expect(late.deliveries[0]).toMatchObject({ retain: true });
  });
});

describe('publishing', () => {
  test.each([0, 1])('fails at once while there is no connection, and is not kept (QoS %i)', async (qos) => {
    const cable = await layCable(broker.port);
    const { link, deliveries } = makeLink({ url: cable.url, filters: [{ topic: 'a', qos: 1 }] });
    await expect(send(link, 'a', 'too early', { qos })).rejects.toThrow(ConnectionLostError);
    await link.open();
    cable.unplug();
    await until(() => !link.connected);
    await expect(send(link, 'a', 'too late', { qos })).rejects.toThrow(ConnectionLostError);
    cable.plug();
    await until(() => link.connected);
    await send(link, 'a', 'in time', { qos });
    await until(() => deliveries.length > 0);
    expect(deliveries.map(textOf)).toEqual(['in time']);
  });

  test.each(['', 'a/+', 'a/#', 'a\0b', 'a'.repeat(70_000)])(
    'on what is no topic fails alone, and the connection stays (%#)',
    async (topic) => {
      const { link } = await openLink({ url: broker.url });
      await expect(send(link, topic, '')).rejects.toThrow('not a topic to publish on');
      await send(link, 'a', '');
      expect(link.reconnects).toBe(0);
    },
  );

  test('carries bytes as they are', async () => {
    const { link, deliveries } = await openLink({ url: broker.url, filters: [{ topic: 'a', qos: 1 }] });
    const bytes = new Uint8Array([9, 0, 255, 128, 9]).subarray(1, 4);
    link.publish('a', bytes, { qos: 1, retain: false });
    await until(() => deliveries.length === 1);
    expect([...(deliveries[0]?.payload ?? [])]).toEqual([0, 255, 128]);
  });

  test('closing waits for what is under way', async () => {
    const { link } = await openLink({ url: broker.url });
    let acknowledged = 0;
    for (let i = 0; i < 500; i++) {
      link.publish('a', 'x', { qos: 1, retain: false }, (error) => void (error ?? acknowledged++));
    }
    await link.close();
    expect(acknowledged).toBe(500);
    expect(link.connected).toBe(false);
  });
});

describe('closing', () => {
  test('ends an open that is still trying', async () => {
    const { link } = makeLink({ url: 'mqtt://127.0.0.1:1' });
    const opening = link.open();
    const failed = expect(opening).rejects.toThrow('no connection to the broker at 127.0.0.1:1: closed');
    await link.close();
    await failed;
  });

  test('does no harm before opening, or twice', async () => {
    const { link } = makeLink({ url: broker.url });
    await link.close();
    const opened = await openLink({ url: broker.url });
    await Promise.all([opened.link.close(), opened.link.close()]);
    await opened.link.close();
    expect(opened.events.map(({ kind }) => kind)).toEqual(['connected']);
  });
});
