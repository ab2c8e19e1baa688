import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Aedes, type AedesOptions } from 'aedes';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { PlayerError, type PlayerOptions, startPlayer, type Tick } from '../../src/cli/player.ts';
import { type EmbeddedBroker, startBroker } from '../../src/mqtt/broker.ts';
import type { Link } from '../../src/mqtt/link.ts';
import { parseTopicPattern } from '../../src/mqtt/topic.ts';
import { layCable } from '../mqtt/cable.ts';
import { openLink, textOf } from '../mqtt/links.ts';
import { until } from '../mqtt/until.ts';
import { countFirst, firstOf, orderedNumbers } from './played.ts';

const topics = parseTopicPattern('s/{stream}/w');
const listening = { filters: [{ topic: 's/+/w', qos: 1 as const }] };
let broker: EmbeddedBroker;

beforeEach(async () => {
  broker = await startBroker();
});

afterEach(() => broker.close());

/** `count` ticks of a number each for a and b, `stepMs` apart. */
function numberedTicks(count: number, stepMs = 1): Tick[] {
  return Array.from({ length: count }, (_, i) => ({
    timeMs: 1000 + i * stepMs,
    messages: ['a', 'b'].map((stream) => ({ stream, payload: `${i}`, numbers: 1 })),
  }));
}

function play(link: Link, ticks: Iterable<Tick>, options: Partial<PlayerOptions> = {}) {
  const player = startPlayer({ link, topics, ticks, speed: Number.POSITIVE_INFINITY, qos: 1, ...options });
  onTestFinished(player.stop);
  return player;
}

/** A broker that a test may hold up. */
async function startOwnBroker(options: AedesOptions): Promise<string> {
  const aedes = await Aedes.createBroker(options);
  const server = createServer(aedes.handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
  });
  return `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a player', () => {
  test.each([0, 1] as const)('plays every message in order at QoS %d, and counts them', async (qos) => {
    const { deliveries } = await openLink({ url: broker.url, ...listening });
    const { link } = await openLink({ url: broker.url });
    const player = play(link, numberedTicks(2_000), { qos });
    await player.done;
    await until(() => deliveries.length === 4_000);
    expect(firstOf(deliveries)).toEqual({ a: orderedNumbers(2_000), b: orderedNumbers(2_000) });
    expect(player).toMatchObject({ ticks: 2_000, messages: 4_000, numbers: 4_000, again: 0, unfinished: 0 });
  });

  test('publishes again what a lost connection left open, before anything new', async () => {
    const { deliveries } = await openLink({ url: broker.url, ...listening });
    const cable = await layCable(broker.port);
    const { link } = await openLink({ url: cable.url, protocol: '3.1.1' });
    const player = play(link, numberedTicks(20_000));
    for (const at of [1_000, 4_000, 9_000]) {
      await until(() => player.messages > at);
      cable.cut();
    }
    await player.done;
    expect(link.reconnects).toBe(3);
    expect(player).toMatchObject({ ticks: 20_000, messages: 40_000, unfinished: 0 });
    expect(player.again).toBeGreaterThan(0);
    expect(player.again).toBeLessThanOrEqual(3 * 1_000);
    const all = { a: orderedNumbers(20_000), b: orderedNumbers(20_000) };
    // some came twice
    await until(() => deliveries.length >= 40_000 && countFirst(deliveries) === 40_000);
    expect(firstOf(deliveries)).toEqual(all);
  });

  test('keeps the order when the connection is lost again before all is repeated', async () => {
    let isHolding = true;
    const url = await startOwnBroker({
      authorizePublish: (_, __, done) => {
        if (!isHolding) done(null);
      },
    });
    const { deliveries } = await openLink({ url, ...listening });
    const cable = await layCable(Number(new URL(url).port));
    const { link } = await openLink({ url: cable.url, protocol: '3.1.1' });
    const player = play(link, numberedTicks(2_000));
    await until(() => player.unfinished === 1_000);
    const repeatedAtLosses: number[] = [];
    const lostTwice = new Promise<void>((resolve) => {
      link.onChange((connected) => {
        // after one turn's share of the 1,000
        if (connected && isHolding) setImmediate(cable.cut);
        else if (!connected) repeatedAtLosses.push(player.again);
        if (repeatedAtLosses.length === 2) resolve();
      });
    });
    cable.cut();
    await lostTwice;
    expect(repeatedAtLosses[0]).toBe(0);
    expect(repeatedAtLosses[1]).toBeGreaterThan(0);
    expect(repeatedAtLosses[1]).toBeLessThan(1_000);
    isHolding = false;
    await player.done;
    expect(player).toMatchObject({ messages: 4_000, again: 1_000 + repeatedAtLosses[1] });
    await until(() => deliveries.length === 4_000);
    expect(firstOf(deliveries)).toEqual({ a: orderedNumbers(2_000), b: orderedNumbers(2_000) });
  });

  test('has at most 1,000 messages under way, and takes the others only when there is room', async () => {
    const held: (() => void)[] = [];
    let isHolding = true;
    const url = await startOwnBroker({
      authorizePublish: (_, __, done) => {
        if (isHolding) held.push(() => done(null));
        else done(null);
      },
    });
    const { link } = await openLink({ url });
    let taken = 0;
    function* ticks() {
      for (const tick of numberedTicks(3_000)) {
        taken++;
        yield tick;
      }
    }
    const player = play(link, ticks());
    await until(() => player.unfinished === 1_000 && held.length > 0);
    // as many turns as would publish all of it
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(player).toMatchObject({ unfinished: 1_000, messages: 0, ticks: 500 });
    expect(taken).toBe(501);
    isHolding = false;
    for (const release of held) release();
    await player.done;
    expect(player.messages).toBe(6_000);
  });

  test('plays as many times as fast as it is told', async () => {
    const { link } = await openLink({ url: broker.url });
    let [slow, fast] = [0, 0];
    const ticks = numberedTicks(10_000, 10);
    play(link, ticks, { speed: 4, onPublish: () => fast++ });
    // at the end of a turn both have made up for what this machine has stalled
    const steps = await new Promise<{ slow: number; fast: number }>((resolve) => {
      const look = () => resolve({ slow: slow / 2 - 1, fast: fast / 2 - 1 });
      play(link, ticks, { speed: 1, onPublish: () => ++slow === 80 && setImmediate(look) });
    });
    expect(steps.slow).toBeGreaterThanOrEqual(39);
    expect(Math.abs(steps.fast - 4 * steps.slow)).toBeLessThan(30);
  });

  test('plays nothing before its time, and all of a tick at once', async () => {
    const { link } = await openLink({ url: broker.url });
    const published: string[] = [];
    const player = play(link, numberedTicks(2, 3_600_000), {
      speed: 1,
      onPublish: ({ stream, payload }) => published.push(`${stream} ${payload}`),
    });
    await until(() => player.messages === 2);
    expect(published).toEqual(['a 0', 'b 0']);
    expect(player.ticks).toBe(1);
    player.stop();
    await player.done;
    expect(player).toMatchObject({ messages: 2, unfinished: 0 });
  });

  test('waits for the broker, and goes on where it was', async () => {
    const { deliveries } = await openLink({ url: broker.url, ...listening });
    const cable = await layCable(broker.port);
    const { link } = await openLink({ url: cable.url, protocol: '3.1.1' });
    cable.unplug();
    await until(() => !link.connected);
    const player = play(link, numberedTicks(100));
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(player).toMatchObject({ ticks: 0, messages: 0, unfinished: 0 });
    cable.plug();
    await player.done;
    await until(() => deliveries.length === 200);
    expect(player.again).toBe(0);
  });

  test('ends when it is stopped, also while the broker is away, and says what it does not know', async () => {
    const held: (() => void)[] = [];
    const url = await startOwnBroker({ authorizePublish: (_, __, done) => held.push(() => done(null)) });
    const cable = await layCable(Number(new URL(url).port));
    const { link } = await openLink({ url: cable.url, protocol: '3.1.1' });
    const player = play(link, numberedTicks(5_000));
    await until(() => player.unfinished === 1_000);
    cable.unplug();
    await until(() => !link.connected);
    player.stop();
    await player.done;
    expect(player).toMatchObject({ messages: 0, unfinished: 1_000, again: 0 });
  });

  test('gives up on a broker that ends the connection over each message', async () => {
    const url = await startOwnBroker({ authorizePublish: (_, __, done) => done(new Error('not you')) });
    const { link } = await openLink({ url, backOff: { firstMs: 1, maxMs: 2 } });
    const failure = await play(link, numberedTicks(1)).done.catch((error: Error) => error);
    expect(failure).toBeInstanceOf(PlayerError);
    expect(String(failure)).toBe(
      'PlayerError: the broker ended 5 connections in a row without taking the message on s/a/w; ' +
        'may this user publish there?',
    );
  });

  test('says which message can never arrive', async () => {
    const { link } = await openLink({ url: broker.url });
    const messages = [{ stream: '+', payload: '1', numbers: 1 }];
    await expect(play(link, [{ timeMs: 0, messages }]).done).rejects.toThrow(
      'the broker refuses a message on s/+/w: not a topic to publish on',
    );
  });

  test('leaves the last values with the broker where it is told to', async () => {
    const { link } = await openLink({ url: broker.url });
    await play(link, numberedTicks(3), { retain: true }).done;
    const { deliveries } = await openLink({ url: broker.url, ...listening });
    await until(() => deliveries.length === 2);
    expect(deliveries.map((delivery) => [textOf(delivery), delivery.retain])).toEqual([
      ['2', true],
      ['2', true],
    ]);
  });

  test('is done at once with nothing to play', async () => {
    const { link } = await openLink({ url: broker.url });
    const player = play(link, [{ timeMs: 5, messages: [] }]);
    await player.done;
    expect(player).toMatchObject({ ticks: 1, messages: 0 });
  });
});
