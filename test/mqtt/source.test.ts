import { afterEach, beforeEach, expect, test } from 'vitest';
import { type EmbeddedBroker, startBroker } from '../../src/mqtt/broker.ts';
import type { Delivery } from '../../src/mqtt/intake.ts';
import type { LinkOptions } from '../../src/mqtt/link.ts';
import { createSourceCounts, mqttSource, type SourceOptions } from '../../src/mqtt/source.ts';
import { parseTopicPattern } from '../../src/mqtt/topic.ts';
import type { Message } from '../../src/stream/payload.ts';
import { makeLink, openLink, send, textOf } from './links.ts';
import { until } from './until.ts';

const sensors = parseTopicPattern('sensors/{stream}/weather');
const forecasts = parseTopicPattern('cellstream/{stream}/forecast');

let broker: EmbeddedBroker;

beforeEach(async () => {
  broker = await startBroker();
});

afterEach(() => broker.close());

/** A source that is listening, and what it has emitted. */
async function listen(
  source: Partial<SourceOptions> = {},
  { topics = [sensors.filter], ...options }: Partial<LinkOptions> & { topics?: readonly string[] } = {},
) {
  const filters = topics.map((topic) => ({ topic, qos: 1 as const }));
  const { link } = makeLink({ url: broker.url, protocol: '3.1.1', filters, ...options });
  const batches: (readonly Message[])[] = [];
  const counts = createSourceCounts();
  const subscription = mqttSource(link, { routes: [sensors], counts, ...source }).subscribe((batch) => {
    batches.push(batch);
  });
  await link.open();
  return { link, batches, counts, subscription };
}

test('hands over the messages of one turn together, in order, at most its limit', async () => {
  const { batches } = await listen({ limit: 10 });
  const sender = await openLink({ url: broker.url });
  for (let i = 0; i < 100; i++)
    sender.link.publish('sensors/a/weather', String(i), { qos: 0, retain: false });
  await until(() => batches.flat().length === 100);
  expect(Math.max(...batches.map((batch) => batch.length))).toBeLessThanOrEqual(10);
  expect(batches.length).toBeLessThan(60);
  expect(batches.flat().map(textOf)).toEqual(Array.from({ length: 100 }, (_, i) => String(i)));
});

test('says of each message by which route it came, which stream and feature it names, and when it arrived', async () => {
  const routes = [
    parseTopicPattern('house/{stream}/{feature}'),
    parseTopicPattern('boiler/temp', { stream: 'boiler' }),
    parseTopicPattern('house/{stream}/temp'),
  ];
  const topics = ['house/#', 'boiler/temp'];
  const { batches, counts } = await listen({ routes, now: () => 1234 }, { topics });
  const sender = await openLink({ url: broker.url });
  await send(sender.link, 'house/attic/temp', 'x');
  await send(sender.link, 'house/attic/room/temp', 'x');
  await send(sender.link, 'boiler/temp', 'x');
  await until(() => batches.flat().length === 2);
  expect(batches.flat()).toMatchObject([
    { route: 0, stream: 'attic', feature: 'temp', retained: false, arrivedMs: 1234 },
    { route: 1, stream: 'boiler', retained: false, arrivedMs: 1234 + 2 ** -10 },
  ]);
  expect(counts).toEqual({ own: 0, unrouted: 1, lastUnrouted: 'house/attic/room/temp' });
});

test('marks what the broker had kept as retained, and nothing else', async () => {
  const sender = await openLink({ url: broker.url });
  await send(sender.link, 'sensors/a/weather', 'old', { retain: true });
  const { batches } = await listen();
  await send(sender.link, 'sensors/a/weather', 'new', { retain: true });
  await until(() => batches.flat().length === 2);
  expect(batches.flat().map((message) => [textOf(message), message.retained])).toEqual([
    ['old', true],
    ['new', false],
  ]);
});

test('gives each message of a millisecond an arrival of its own, and goes back with the clock', async () => {
  let clockMs = 1.7e12;
  const { batches } = await listen({ now: () => clockMs });
  const sender = await openLink({ url: broker.url });
  for (let i = 0; i < 500; i++) await send(sender.link, 'sensors/a/weather', 'x');
  await until(() => batches.flat().length === 500);
  const arrivals = batches.flat().map(({ arrivedMs }) => arrivedMs);
  expect(new Set(arrivals).size).toBe(500);
  expect(arrivals).toEqual([...arrivals].sort((one, next) => one - next));
  expect(Math.floor(arrivals[499])).toBe(clockMs);
  clockMs -= 3_600_000;
  await send(sender.link, 'sensors/a/weather', 'x');
  await until(() => batches.flat().length === 501);
  expect(batches.flat()[500].arrivedMs).toBe(clockMs);
});

test('lets no arrival be before another when more come than a millisecond has room for', async () => {
  let calls = 0;
  // the clock goes on in the middle of a burst, by less than the burst has run ahead
  const { batches } = await listen({ now: () => (calls++ < 3000 ? 1.7e12 : 1.7e12 + 1) });
  const sender = await openLink({ url: broker.url });
  for (let i = 0; i < 3500; i++) sender.link.publish('sensors/a/weather', 'x', { qos: 0, retain: false });
  await until(() => batches.flat().length === 3500);
  const arrivals = batches.flat().map(({ arrivedMs }) => arrivedMs);
  expect(new Set(arrivals).size).toBe(3500);
  expect(arrivals).toEqual([...arrivals].sort((one, next) => one - next));
});

test('numbers what comes at QoS 1, and hands over what is for nobody', async () => {
  const aside: Delivery[] = [];
  const { batches } = await listen({ onAside: (delivery) => aside.push(delivery) }, { topics: ['#'] });
  const sender = await openLink({ url: broker.url });
  await send(sender.link, 'sensors/a/weather', 'x');
  await send(sender.link, 'sensors/a', 'y');
  sender.link.publish('sensors/a/weather', 'z', { qos: 0, retain: false });
  await until(() => batches.flat().length === 2);
  const [one, zero] = batches.flat();
  expect(zero.packetId).toBeUndefined();
  expect(aside).toMatchObject([{ topic: 'sensors/a', dup: false }]);
  expect(aside[0].id).toBe((one.packetId ?? 0) + 1);
});

test('hands over what is too large to hold as a message without a payload, which is acknowledged like others', async () => {
  const { link, batches } = await listen({}, { holdsReceipts: () => true });
  const sender = await openLink({ url: broker.url });
  const payload = 'x'.repeat(20_000_000);
  for (const text of ['before', payload, 'behind']) await send(sender.link, 'sensors/a/weather', text);
  await until(() => batches.flat().length === 3);
  const [before, large] = batches.flat();
  expect(large).toMatchObject({ route: 0, stream: 'a', packetId: (before.packetId ?? 0) + 1 });
  expect(batches.flat().map(({ skippedBytes }) => skippedBytes)).toEqual([
    undefined,
    payload.length,
    undefined,
  ]);
  expect(batches.flat().map(textOf)).toEqual(['before', '', 'behind']);
  expect(link.receipts?.waiting).toBe(3);
});

test('never consumes what the service itself publishes', async () => {
  const isOwn = forecasts.covers;
  const { link, batches, counts } = await listen({ routes: [forecasts], isOwn }, { topics: ['#'] });
  const other = await listen({ routes: [forecasts] }, { topics: ['#'] });
  await send(link, 'cellstream/JFK/forecast', 'ours');
  await until(() => other.batches.flat().length === 1 && counts.own === 1);
  expect(batches).toEqual([]);
});

test('sees what the broker kept for it, which comes together with the acknowledgement of the connection', async () => {
  const before = await listen({}, { clientId: 'keeps-its-session' });
  await before.link.close();
  const sender = await openLink({ url: broker.url });
  for (let i = 0; i < 20; i++) await send(sender.link, 'sensors/a/weather', String(i));
  // without a subscription of its own: the session's is enough
  const { batches } = await listen({}, { clientId: 'keeps-its-session', topics: [] });
  await until(() => batches.flat().length === 20);
});

test('keeps no session without a client id', async () => {
  const { link } = await listen();
  await link.close();
  const again = await openLink({ url: broker.url });
  expect(again.events).toMatchObject([{ kind: 'connected', sessionPresent: false }]);
});

test('stops listening when it is unsubscribed', async () => {
  const { batches, counts, subscription } = await listen({}, { topics: ['#'] });
  subscription.unsubscribe();
  const sender = await openLink({ url: broker.url, filters: [{ topic: '#', qos: 1 }] });
  await send(sender.link, 'sensors/a/weather', 'x');
  await send(sender.link, 'elsewhere', 'x');
  await until(() => sender.deliveries.length === 2);
  expect(batches).toEqual([]);
  expect(counts.unrouted).toBe(0);
});
