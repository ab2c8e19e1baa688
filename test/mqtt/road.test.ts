import { connect as connectSocket, createServer, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type EmbeddedBroker, startBroker } from '../../src/mqtt/broker.ts';
import { BrokerConnectionError, connectClient, createClient } from '../../src/mqtt/client.ts';
import { createSink } from '../../src/mqtt/sink.ts';
import { mqttSource, type SourceOptions } from '../../src/mqtt/source.ts';
import { parseTopicPattern } from '../../src/mqtt/topic.ts';
import { createCounters } from '../../src/stream/counters.ts';
import type { Message } from '../../src/stream/decode.ts';
import { road } from '../../src/stream/pipeline.ts';
import { createTinyEngine, hourMs, startMs } from '../stream/tiny-engine.ts';

const sensors = parseTopicPattern('sensors/{stream}/weather');
const forecasts = parseTopicPattern('cellstream/{stream}/forecast');
const engine = createTinyEngine();

let broker: EmbeddedBroker;
let clients: MqttClient[];

beforeEach(async () => {
  broker = await startBroker();
  clients = [];
});

afterEach(async () => {
  vi.restoreAllMocks();
  for (const client of clients) await client.endAsync(true);
  await broker.close();
});

function open(): MqttClient {
  const client = createClient(broker.url);
  clients.push(client);
  return client;
}

async function openSender(): Promise<MqttClient> {
  const client = open();
  await connectClient(client);
  return client;
}

/** A source that is listening, and what it has emitted. */
async function listen(options: Partial<SourceOptions> = {}, filters = [sensors.filter]) {
  const client = open();
  const batches: (readonly Message[])[] = [];
  const subscription = mqttSource(client, { topics: sensors, ...options }).subscribe((batch) => {
    batches.push(batch);
  });
  await connectClient(client, { filters });
  return { client, batches, subscription };
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i++) await sleep(10);
  expect(condition()).toBe(true);
}

const payload = (hour: number) =>
  JSON.stringify({ time: startMs + hour * hourMs, temp: 50 + hour, pressure: 1000 });

describe('the road over a real broker', () => {
  test('answers every message once, in order, with the bits of a session', async () => {
    const counters = createCounters();
    const client = open();
    const sink = createSink(client, forecasts);
    const running = mqttSource(client, { topics: sensors, own: forecasts })
      .pipe(road(engine, { counters }))
      .subscribe(({ publications }) => sink.publish(publications));
    await connectClient(client, { filters: [sensors.filter] });
    const reader = await listen({ topics: forecasts }, [forecasts.filter]);

    const sender = await openSender();
    for (let hour = 0; hour < 50; hour++) {
      for (const stream of ['EWR', 'JFK']) sender.publish(sensors.topicOf(stream), payload(hour));
    }
    await until(() => reader.batches.flat().length === 100);

    for (const stream of ['EWR', 'JFK']) {
      const session = engine.openSession(stream);
      const values = reader.batches
        .flat()
        .filter((message) => message.stream === stream)
        .map((message) => JSON.parse(Buffer.from(message.payload).toString()).horizons[1].value);
      const expected = values.map((_, hour) => {
        const result = session.step({ timeMs: startMs + hour * hourMs, values: [50 + hour, 1000] });
        return result.kind === 'forecast' ? result.at(3) : undefined;
      });
      expect(values.map(Math.fround)).toEqual(expected);
    }
    expect(counters.ended).toMatchObject({ applied: 200, malformed: 0 });
    expect(sink).toMatchObject({ published: 100, unsent: 0 });
    running.unsubscribe();
  });

  test('one client that floods with garbage costs nobody a reading', async () => {
    const counters = createCounters();
    const client = open();
    const results: string[] = [];
    mqttSource(client, { topics: sensors })
      .pipe(road(engine, { counters }))
      .subscribe(({ publications }) => results.push(...publications.map(({ stream }) => stream)));
    await connectClient(client, { filters: [sensors.filter] });
    const sender = await openSender();
    for (let hour = 0; hour < 20; hour++) {
      sender.publish('sensors/bad/weather', Buffer.alloc(hour === 7 ? 10_000_000 : 3, 0xff));
      sender.publish('sensors/good/weather', payload(hour));
    }
    await until(() => counters.ended.applied === 40 && counters.ended.malformed === 20);
    expect(results).toEqual(Array(20).fill('good'));
    expect(counters.malformed).toEqual({ 'not UTF-8': 19, 'too large': 1 });
  });
});

describe('the source', () => {
  test('hands over the messages of one turn together, in order, at most its limit', async () => {
    const { batches } = await listen({ limit: 10 });
    const sender = await openSender();
    for (let i = 0; i < 100; i++) sender.publish('sensors/a/weather', String(i));
    await until(() => batches.flat().length === 100);
    expect(Math.max(...batches.map((batch) => batch.length))).toBeLessThanOrEqual(10);
    expect(batches.length).toBeLessThan(60);
    const numbers = batches.flat().map(({ payload: bytes }) => Number(Buffer.from(bytes).toString()));
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test('marks what the broker had kept as retained, and nothing else', async () => {
    const sender = await openSender();
    await sender.publishAsync('sensors/a/weather', 'old', { retain: true, qos: 1 });
    const { batches } = await listen();
    await sender.publishAsync('sensors/a/weather', 'new', { retain: true, qos: 1 });
    await until(() => batches.flat().length === 2);
    const seen = batches
      .flat()
      .map(({ payload: bytes, retained }) => [Buffer.from(bytes).toString(), retained]);
    expect(seen).toEqual([
      ['old', true],
      ['new', false],
    ]);
  });

  test('never consumes what the service itself publishes', async () => {
    const all = parseTopicPattern('cellstream/{stream}/forecast');
    const { batches } = await listen({ topics: all, own: forecasts }, ['#']);
    const other = await listen({ topics: all }, ['#']);
    const sender = await openSender();
    await sender.publishAsync('cellstream/JFK/forecast', 'ours', { qos: 1 });
    await until(() => other.batches.flat().length === 1);
    expect(batches).toEqual([]);
  });

  test('sees messages that arrive together with the acknowledgement of the connection', async () => {
    const options = { clientId: 'keeps-its-session', clean: false } as const;
    const before = open();
    Object.assign(before.options, options);
    await connectClient(before);
    await before.subscribeAsync('sensors/+/weather', { qos: 1 });
    await before.endAsync();
    const sender = await openSender();
    for (let i = 0; i < 20; i++) await sender.publishAsync('sensors/a/weather', String(i), { qos: 1 });

    const client = open();
    Object.assign(client.options, options);
    const seen: Message[] = [];
    mqttSource(client, { topics: sensors }).subscribe((batch) => seen.push(...batch));
    await connectClient(client);
    await until(() => seen.length === 20);
  });

  test('stops listening when it is unsubscribed', async () => {
    const { client, subscription } = await listen();
    subscription.unsubscribe();
    expect(client.listenerCount('message')).toBe(0);
  });
});

describe('the client', () => {
  test('switches off the delay of small packets on every connection', async () => {
    const noDelay = vi.spyOn(Socket.prototype, 'setNoDelay');
    const client = await openSender();
    expect(noDelay.mock.contexts).toContain(client.stream);
    noDelay.mockClear();
    const reconnected = new Promise((resolve) => client.once('connect', resolve));
    client.reconnect();
    await reconnected;
    expect(noDelay.mock.contexts).toContain(client.stream);
  });

  test('does not pile up publications while the broker is away', async () => {
    const client = await openSender();
    const sink = createSink(client, forecasts);
    await client.endAsync();
    for (let i = 0; i < 10; i++) sink.publish([{ stream: 'a', payload: 'x' }]);
    await until(() => sink.unsent === 10);
    expect(sink.published).toBe(0);
  });

  test('says in one line that there is no broker', async () => {
    const client = createClient('mqtt://127.0.0.1:1');
    const failure = await connectClient(client).catch((error: Error) => error);
    expect(failure).toBeInstanceOf(BrokerConnectionError);
    expect(String(failure)).toMatch(
      /^BrokerConnectionError: no connection to the broker at 127\.0\.0\.1:1: .+$/,
    );
  });

  test('gives up on a server that accepts and stays silent', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as { port: number };
    const client = createClient(`mqtt://127.0.0.1:${port}`);
    await expect(connectClient(client, { timeoutMs: 100 })).rejects.toThrow('no answer in 100 ms');
    silent.close();
  });
});

describe('the embedded broker', () => {
  test('listens on localhost only, on the port that it names', async () => {
    const socket = connectSocket(broker.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
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
    const first = await startBroker();
    await first.close();
    const second = await startBroker(first.port);
    expect(second.port).toBe(first.port);
    await second.close();
  });
});
