import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type EmbeddedBroker, startBroker } from '../../src/mqtt/broker.ts';
import { createSink, type Sink, type SinkOptions } from '../../src/mqtt/sink.ts';
import { parseTopicPattern } from '../../src/mqtt/topic.ts';
import { layCable } from './cable.ts';
import { makeLink, openLink, textOf } from './links.ts';
import { until } from './until.ts';

const topics = parseTopicPattern('cellstream/{stream}/forecast');

let broker: EmbeddedBroker;

beforeEach(async () => {
  broker = await startBroker();
});

afterEach(() => broker.close());

/** A reader of all forecasts, and `stream:payload` of each. */
async function read() {
  const { link, deliveries } = await openLink({
    url: broker.url,
    protocol: '3.1.1',
    filters: [{ topic: topics.filter, qos: 1 }],
  });
  const seen = () =>
    deliveries.map((delivery) => `${topics.match(delivery.topic)?.stream}:${textOf(delivery)}`);
  return { link, deliveries, seen };
}

function accounted({ published, superseded, dropped, waiting, inFlight, failed }: Sink): number {
  return published + superseded + dropped + waiting + inFlight + failed;
}

const publication = (stream: string, payload: string | number) => ({ stream, payload: String(payload) });

describe.each([0, 1] as const)('a sink at QoS %i', (qos) => {
  function make(url: string, options: Partial<SinkOptions> = {}) {
    const { link } = makeLink({ url, protocol: '3.1.1' });
    return { link, sink: createSink(link, { topics, qos, retain: false, ...options }) };
  }

  test('publishes all, in order, and counts each once', async () => {
    const reader = await read();
    const { link, sink } = make(broker.url);
    await link.open();
    for (let i = 0; i < 300; i++) sink.publish([publication('a', i), publication('b', i)]);
    await until(() => reader.seen().length === 600 && sink.published === 600);
    expect(reader.seen()).toEqual(Array.from({ length: 300 }, (_, i) => [`a:${i}`, `b:${i}`]).flat());
    expect(sink).toMatchObject({ superseded: 0, dropped: 0, waiting: 0, inFlight: 0, failed: 0 });
    expect(reader.deliveries[0]?.retain).toBe(false);
  });

  test('keeps the newest of each stream while there is no broker, and publishes those when there is', async () => {
    const reader = await read();
    const { link, sink } = make(broker.url);
    for (let i = 0; i < 100; i++) sink.publish(['a', 'b', 'c'].map((stream) => publication(stream, i)));
    expect(sink).toMatchObject({ published: 0, superseded: 297, waiting: 3, inFlight: 0 });
    await link.open();
    await until(() => sink.published === 3);
    await until(() => reader.seen().length === 3);
    expect(reader.seen()).toEqual(['a:99', 'b:99', 'c:99']);
    expect(accounted(sink)).toBe(300);
  });

  test('drops the oldest when more streams wait than may', async () => {
    const { link, sink } = make(broker.url, { waitingLimit: 10 });
    for (let i = 0; i < 25; i++) sink.publish([publication(`stream${i}`, i)]);
    expect(sink).toMatchObject({ waiting: 10, dropped: 15 });
    const reader = await read();
    await link.open();
    await until(() => reader.seen().length === 10);
    expect(reader.seen()[0]).toBe('stream15:15');
    expect(accounted(sink)).toBe(25);
  });

  test('is emptied when all is on its way, at once without a broker, and when the broker goes', async () => {
    const reader = await read();
    const cable = await layCable(broker.port);
    const { link, sink } = make(cable.url, { inFlightLimit: 1 });
    sink.publish([publication('a', 0)]);
    await sink.emptied();
    expect(sink.waiting).toBe(1);
    await link.open();
    for (let i = 1; i < 50; i++) sink.publish([publication('a', i)]);
    await sink.emptied();
    expect(sink.waiting).toBe(0);
    await until(() => reader.seen().at(-1) === 'a:49');
    // of QoS 1, one is on its way and one waits for the answer to it, which cannot come
    cable.unplug();
    for (let i = 50; i < 60; i++) sink.publish([publication('a', i)]);
    await sink.emptied();
    await until(() => !link.connected);
    await sink.emptied();
    // what is written at QoS 0 is gone; what was not yet waits
    expect(sink.waiting).toBeLessThanOrEqual(1);
    if (qos === 1) expect(sink.waiting).toBe(1);
    expect(accounted(sink)).toBe(60);
  });

  test('has no more in flight than it may, and gets everything through', async () => {
    const reader = await read();
    const { link, sink } = make(broker.url, { inFlightLimit: 4 });
    await link.open();
    const streams = Array.from({ length: 200 }, (_, i) => `s${i}`);
    const most = { inFlight: 0 };
    for (const stream of streams) {
      sink.publish([publication(stream, 'x'.repeat(2000))]);
      most.inFlight = Math.max(most.inFlight, sink.inFlight);
    }
    await until(() => sink.published === 200 && reader.seen().length === 200);
    expect(most.inFlight).toBe(4);
    expect(sink).toMatchObject({ superseded: 0, dropped: 0, failed: 0 });
  });

  test('every publication is in exactly one counter, whenever the connection is cut', async () => {
    const reader = await read();
    const cable = await layCable(broker.port);
    const { link, sink } = make(cable.url, { inFlightLimit: 20, waitingLimit: 8 });
    await link.open();
    let given = 0;
    for (let round = 0; round < 200; round++) {
      // two of the last stream: more streams than may wait push each other out, and supersede nothing
      for (let i = 0; i <= 12; i++) sink.publish([publication(`s${Math.min(i, 11)}`, given++)]);
      expect(accounted(sink)).toBe(given);
      if (round % 20 === 7) cable.cut();
      if (round % 20 === 8) await until(() => !link.connected);
      await until(() => round % 20 !== 12 || link.connected);
      await new Promise((resolve) => setImmediate(resolve));
      expect(accounted(sink)).toBe(given);
    }
    await until(() => sink.waiting + sink.inFlight === 0);
    expect(accounted(sink)).toBe(given);
    expect(sink.superseded).toBeGreaterThan(0);
    expect(sink.dropped).toBeGreaterThan(0);
    expect(sink.failed).toBe(0);
    // at QoS 1 what was lost on the way was sent once more
    await until(() => qos === 0 || reader.seen().length >= sink.published);
  });

  test('a stream never goes back to an older forecast', async () => {
    const reader = await read();
    const cable = await layCable(broker.port);
    const { link, sink } = make(cable.url, { inFlightLimit: 5 });
    await link.open();
    let cuts = 0;
    for (let i = 0; i < 300; i++) {
      sink.publish([publication('a', i), publication('b', i)]);
      if (i % 50 === 20) {
        cable.cut();
        cuts++;
      }
      // what is written before it has noticed is lost at QoS 0
      if (i % 50 === 25) await until(() => link.reconnects === cuts);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => reader.seen().includes('a:299') && reader.seen().includes('b:299'));
    const numbers = reader
      .seen()
      .filter((line) => line.startsWith('a:'))
      .map((line) => Number(line.slice(2)));
    // of what may have arrived before the cut, the newest may come again
    expect(numbers).toEqual([...numbers].sort((one, other) => one - other));
  });

  test('a topic that cannot be published on is lost, with the reason, and costs the others nothing', async () => {
    const { link, sink } = make(broker.url);
    await link.open();
    sink.publish([publication('a/#', 1), publication('b', 2), publication('c+', 3)]);
    await until(() => sink.published === 1);
    expect(sink.failed).toBe(2);
    expect(sink.failures).toEqual({ 'not a topic to publish on': 2 });
    expect(accounted(sink)).toBe(3);
  });

  test('closing the link gets out what waits', async () => {
    const { link, sink } = make(broker.url, { inFlightLimit: 3 });
    await link.open();
    for (let i = 0; i < 50; i++) sink.publish([publication(`s${i}`, 'x'.repeat(5000))]);
    expect(sink.waiting).toBeGreaterThan(0);
    await link.close();
    expect(sink).toMatchObject({ published: 50, waiting: 0, inFlight: 0 });
  });
});

test('retains forecasts when it is told to', async () => {
  const { link } = await openLink({ url: broker.url });
  const sink = createSink(link, { topics, qos: 1, retain: true });
  sink.publish([publication('a', 1)]);
  await until(() => sink.published === 1);
  const reader = await read();
  await until(() => reader.deliveries.length === 1);
  expect(reader.deliveries[0]?.retain).toBe(true);
});
