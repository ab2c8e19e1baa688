import { expect, test } from 'vitest';
import { startPlayer, type Tick } from '../../src/cli/player.ts';
import { parseTopicPattern } from '../../src/mqtt/topic.ts';
import { layCable } from '../mqtt/cable.ts';
import { openLink } from '../mqtt/links.ts';
import { describeWithMosquitto, startMosquitto } from '../mqtt/mosquitto.ts';
import { until } from '../mqtt/until.ts';
import { countFirst, firstOf, orderedNumbers } from './played.ts';

const topics = parseTopicPattern('s/{stream}/w');
const speed = Number.POSITIVE_INFINITY;
const streams = ['a', 'b', 'c'];
const count = 10_000;

const ticks: Tick[] = orderedNumbers(count).map((i) => ({
  timeMs: i,
  messages: streams.map((stream) => ({ stream, payload: `${i}`, numbers: 1 })),
}));

describeWithMosquitto('a player on mosquitto', () => {
  test('loses nothing and keeps the order when the broker is killed and comes back', async () => {
    const mosquitto = await startMosquitto();
    const watcher = await openLink({ url: mosquitto.url, filters: [{ topic: 's/+/w', qos: 1 }] });
    // so that the player is back only when somebody listens
    const cable = await layCable(mosquitto.port);
    const { link } = await openLink({ url: cable.url });
    const player = startPlayer({ link, topics, ticks, speed, qos: 1 });
    for (const share of [0.2, 0.5, 0.8]) {
      await until(() => player.messages > share * 3 * count);
      await mosquitto.stop('SIGKILL');
      cable.unplug();
      await until(() => !link.connected && !watcher.link.connected);
      await mosquitto.start();
      await until(() => watcher.link.connected);
      cable.plug();
    }
    await player.done;
    expect(link.reconnects).toBe(3);
    expect(player).toMatchObject({ ticks: count, messages: 3 * count, numbers: 3 * count, unfinished: 0 });
    const all = Object.fromEntries(streams.map((stream) => [stream, orderedNumbers(count)]));
    // some came twice
    const { deliveries } = watcher;
    await until(() => deliveries.length >= 3 * count && countFirst(deliveries) === 3 * count);
    expect(firstOf(watcher.deliveries)).toEqual(all);
    // nothing is repeated but what was under way at a kill
    expect(player.again).toBeLessThanOrEqual(3 * 1_000);
    expect(watcher.deliveries.length - 3 * count).toBeLessThanOrEqual(player.again);
  });

  test('has no more under way than the broker takes, however long it is stalled', async () => {
    const mosquitto = await startMosquitto({ lines: ['max_inflight_messages 20'] });
    const { link } = await openLink({ url: mosquitto.url });
    expect(link).toMatchObject({ protocol: '5', window: 20 });
    let most = 0;
    const player = startPlayer({
      ...{ link, topics, ticks: ticks.slice(0, 1000), speed, qos: 1 },
      onPublish: () => {
        most = Math.max(most, player.unfinished);
      },
    });
    await until(() => player.messages > 500);
    mosquitto.pause();
    const turns = async () => {
      for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    };
    // what the broker had answered before is read first
    await turns();
    const { messages } = player;
    await turns();
    expect(player).toMatchObject({ unfinished: 20, messages });
    mosquitto.resume();
    await player.done;
    expect(player).toMatchObject({ messages: 3_000, again: 0 });
    // the one that is about to be published is not counted yet
    expect(most).toBe(19);
  });

  test('says which topic it may not publish on', async () => {
    const acl = 'user ann\ntopic write s/a/w\n';
    const mosquitto = await startMosquitto({ users: { ann: 'secret' }, acl });
    const { link } = await openLink({ url: mosquitto.url, username: 'ann', password: 'secret' });
    await expect(startPlayer({ link, topics, ticks, speed, qos: 1 }).done).rejects.toThrow(
      /^the broker refuses a message on s\/b\/w: .*not authorized/i,
    );
  });
});
