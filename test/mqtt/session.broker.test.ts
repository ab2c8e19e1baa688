import { describe, expect, test } from 'vitest';
import type { LinkOptions } from '../../src/mqtt/link.ts';
import { createSink } from '../../src/mqtt/sink.ts';
import { createSourceCounts, mqttSource } from '../../src/mqtt/source.ts';
import { parseTopicPattern } from '../../src/mqtt/topic.ts';
import type { Message } from '../../src/stream/payload.ts';
import { layCable } from './cable.ts';
import { makeLink, openLink, send, textOf } from './links.ts';
import { describeWithMosquitto, type Mosquitto, startMosquitto } from './mosquitto.ts';
import { until } from './until.ts';

const sensors = parseTopicPattern('sensors/{stream}');
const forecasts = parseTopicPattern('forecasts/{stream}');
const filter = (topic: string) => ({ topic, qos: 1 as const });

describeWithMosquitto('on mosquitto', () => {
  test('a link speaks 5 when nobody forbids it', async () => {
    const broker = await startMosquitto();
    const { link } = await openLink({ url: broker.url });
    expect(link.protocol).toBe('5');
  });

  describe.each(['5', '3.1.1'] as const)('MQTT %s', (protocol) => {
    /** A source that listens. */
    const listen = async (broker: Mosquitto, options: Partial<LinkOptions> = {}) => {
      const opened = makeLink({ url: broker.url, protocol, filters: [filter(sensors.filter)], ...options });
      const messages: Message[] = [];
      const counts = createSourceCounts();
      const isOwn = forecasts.covers;
      mqttSource(opened.link, { routes: [sensors, forecasts], isOwn, counts }).subscribe((batch) => {
        messages.push(...batch);
      });
      await opened.link.open({ timeoutMs: 10_000 });
      return { ...opened, messages, counts };
    };

    test('messages that a kept session brings with the first answer are seen', async () => {
      const broker = await startMosquitto();
      const first = await listen(broker, { clientId: 'service' });
      await first.link.close();
      const sensor = await openLink({ url: broker.url });
      for (let i = 0; i < 200; i++) await send(sensor.link, 'sensors/a', String(i));
      const second = await listen(broker, { clientId: 'service' });
      expect(second.events).toMatchObject([{ kind: 'connected', sessionPresent: true }]);
      await until(() => second.messages.length === 200);
      expect(second.messages.map(textOf)).toEqual(Array.from({ length: 200 }, (_, i) => String(i)));
    });

    test('a live message with retain is a message; only the replay at subscription is retained', async () => {
      const broker = await startMosquitto();
      const sensor = await openLink({ url: broker.url });
      await send(sensor.link, 'sensors/a', 'old', { retain: true });
      const { messages } = await listen(broker);
      await until(() => messages.length === 1);
      await send(sensor.link, 'sensors/a', 'new', { retain: true });
      await until(() => messages.length === 2);
      expect(messages.map((message) => [textOf(message), message.retained])).toEqual([
        ['old', true],
        ['new', false],
      ]);
    });

    test('what is kept is replayed at the start, also into a session that was kept', async () => {
      const broker = await startMosquitto();
      const sensor = await openLink({ url: broker.url });
      await send(sensor.link, 'sensors/a', 'kept', { retain: true });
      for (let start = 0; start < 2; start++) {
        const { link, messages } = await listen(broker, { clientId: 'service' });
        await until(() => messages.length === 1);
        expect(messages[0]?.retained).toBe(true);
        await link.close();
      }
    });

    test('subscriptions of an earlier configuration are gone after the first connect', async () => {
      const broker = await startMosquitto();
      const old = [filter('old/#'), filter('kept/#')];
      const before = await listen(broker, { clientId: 'service', filters: old });
      await before.link.close();
      const goneFilters = old.map(({ topic }) => topic);
      const filters = [filter('kept/#'), filter(sensors.filter)];
      const service = await listen(broker, { clientId: 'service', filters, goneFilters });
      const sensor = await openLink({ url: broker.url });
      for (const topic of ['old/a', 'kept/a', 'sensors/a']) await send(sensor.link, topic, topic);
      await until(() => service.deliveries.length === 2);
      expect(service.deliveries.map(textOf)).toEqual(['kept/a', 'sensors/a']);
    });

    test('the status is online when connected, offline when the wire is cut and when closed', async () => {
      const broker = await startMosquitto();
      const cable = await layCable(broker.port);
      const watcher = await openLink({ url: broker.url, filters: [filter('status')] });
      const seen = () => watcher.deliveries.map(textOf);
      const { link } = await openLink({
        url: cable.url,
        protocol,
        statusTopic: 'status',
        clientId: 'service',
      });
      await until(() => seen().length === 1);
      cable.unplug();
      await until(() => seen().length === 2);
      cable.plug();
      await until(() => link.connected);
      await link.close();
      await until(() => seen().length === 4);
      expect(seen()).toEqual(['online', 'offline', 'online', 'offline']);
      // the will is not left to speak after a clean goodbye
      const late = await openLink({ url: broker.url, filters: [filter('status')] });
      await until(() => late.deliveries.length === 1);
      expect(late.deliveries.map(textOf)).toEqual(['offline']);
      expect(seen()).toHaveLength(4);
    });

    test.each(['SIGTERM', 'SIGKILL'] as const)(
      'after %s of the broker the link is back, with its session and the newest of each stream',
      async (signal) => {
        const broker = await startMosquitto();
        const service = await listen(broker, { clientId: 'service' });
        const sink = createSink(service.link, { topics: forecasts, qos: 1, retain: false });
        const reader = await openLink({
          url: broker.url,
          clientId: 'reader',
          filters: [filter(forecasts.filter)],
        });
        const publish = (i: number) => {
          sink.publish(['a', 'b'].map((stream) => ({ stream, payload: `${stream}${i}` })));
        };
        publish(0);
        await until(() => reader.deliveries.length === 2);
        // SIGKILL loses what is not on disk yet: the second save from here says that the first is
        const said = broker.log.length;
        await until(() => broker.log.slice(said).split('Saving in-memory database').length > 2);
        await broker.stop(signal);
        await until(() => !service.link.connected && !reader.link.connected);
        for (let i = 1; i <= 50; i++) publish(i);
        expect(sink).toMatchObject({ published: 2, superseded: 98, waiting: 2 });

        await broker.start();
        await until(() => sink.published === 4);
        await until(() => reader.deliveries.length === 4);
        expect(reader.deliveries.map(textOf)).toEqual(['a0', 'b0', 'a50', 'b50']);
        expect(service.link.reconnects).toBe(1);
        expect(service.events.at(-1)).toMatchObject({ kind: 'back', sessionPresent: true });
        const sensor = await openLink({ url: broker.url });
        await send(sensor.link, 'sensors/a', 'after');
        await until(() => service.messages.length === 1);
      },
    );

    test('a broker that lost all sessions gets the subscriptions again', async () => {
      const broker = await startMosquitto({ lines: ['persistence false'] });
      const service = await listen(broker, { clientId: 'service' });
      await broker.stop('SIGTERM');
      await broker.start();
      await until(() => service.link.reconnects === 1);
      expect(service.events.at(-1)).toMatchObject({ kind: 'back', sessionPresent: false });
      const sensor = await openLink({ url: broker.url });
      await send(sensor.link, 'sensors/a', 'after');
      await until(() => service.messages.length === 1);
    });

    test('own output is never consumed', async () => {
      const broker = await startMosquitto();
      const service = await listen(broker, { filters: [filter('#')] });
      const sink = createSink(service.link, { topics: forecasts, qos: 1, retain: true });
      sink.publish([{ stream: 'a', payload: 'ours' }]);
      sink.publish([{ stream: 'b', payload: 'ours too' }]);
      await until(() => sink.published === 2);
      const sensor = await openLink({ url: broker.url });
      await send(sensor.link, 'sensors/a', 'theirs');
      await until(() => service.messages.length === 1);
      expect(service.messages.map(textOf)).toEqual(['theirs']);
      // 5 saves the way there and back
      expect(service.deliveries.length).toBe(protocol === '5' ? 1 : 3);
      // but what the broker kept of it is replayed to the next connection
      const next = await listen(broker, { filters: [filter('#')] });
      await until(() => next.counts.own === 2);
      expect(next.messages).toEqual([]);
    });

    test('answers each message at QoS 1 while thousands come: nothing waits for anything', async () => {
      const broker = await startMosquitto();
      const service = await listen(broker, { clientId: 'service', keepaliveSeconds: 5 });
      const sink = createSink(service.link, { topics: forecasts, qos: 1, retain: false });
      mqttSource(service.link, { routes: [sensors] }).subscribe((batch) => {
        sink.publish(batch.map((message) => ({ stream: message.stream, payload: textOf(message) })));
      });
      const reader = await openLink({ url: broker.url, protocol, filters: [filter(forecasts.filter)] });
      const sensor = await openLink({ url: broker.url });
      for (let i = 0; i < 3_000; i++) {
        sensor.link.publish(`sensors/s${i}`, String(i), { qos: 1, retain: false });
      }
      await until(() => reader.deliveries.length === 3_000);
      expect(reader.deliveries.map(textOf)).toEqual(Array.from({ length: 3_000 }, (_, i) => String(i)));
      // the acknowledgement of the last may come behind its delivery
      await until(() => sink.published === 3_000);
      expect(sink.superseded).toBe(0);
      expect(service.link.reconnects).toBe(0);
    });

    test('a broker that stalls gets no more than it can hold, and is left when it stays away', async () => {
      const broker = await startMosquitto();
      const warnings: unknown[] = [];
      const onWarning = (warning: Error) => warnings.push(warning.message);
      process.on('warning', onWarning);
      for (const qos of [0, 1] as const) {
        const service = await openLink({
          url: broker.url,
          protocol,
          clientId: 'service',
          // long enough to give it everything
          keepaliveSeconds: 3,
        });
        const sink = createSink(service.link, {
          topics: forecasts,
          qos,
          retain: false,
          inFlightLimit: 1_500,
        });
        broker.pause();
        const payload = 'x'.repeat(2_000);
        let given = 0;
        for (let round = 0; round < 100; round++) {
          for (let i = 0; i < 2_000; i++, given++) sink.publish([{ stream: `s${i}`, payload }]);
          await new Promise((resolve) => setImmediate(resolve));
        }
        expect(sink.inFlight).toBeLessThanOrEqual(1_500);
        // a burst in order, not the 200,000 that were given
        expect(sink.waiting).toBe(10_000);
        await until(() => !service.link.connected);
        expect(service.events.at(-1)?.message).toMatch(/no answer for longer than the keepalive/);
        broker.resume();
        await until(() => sink.waiting + sink.inFlight === 0);
        expect(sink.published + sink.superseded).toBe(given);
        expect(sink).toMatchObject({ dropped: 0, failed: 0 });
        await service.link.close();
      }
      process.off('warning', onWarning);
      expect(warnings).toEqual([]);
    });

    test('closing does not wait for a broker that stalls, whose watchers hear the will', async () => {
      const broker = await startMosquitto();
      const watcher = await openLink({ url: broker.url, filters: [filter('status')] });
      const { link } = await openLink({ url: broker.url, protocol, statusTopic: 'status' });
      const patient = await openLink({ url: broker.url, protocol });
      await until(() => watcher.deliveries.length === 1);
      broker.pause();
      for (const each of [link, patient.link]) each.publish('a', 'x', { qos: 1, retain: false });
      const ended: string[] = [];
      await Promise.all([
        patient.link.close({ timeoutMs: 1_000 }).then(() => ended.push('patient')),
        link.close({ timeoutMs: 200 }).then(() => ended.push('hasty')),
      ]);
      expect(ended).toEqual(['hasty', 'patient']);
      broker.resume();
      await until(() => watcher.deliveries.length === 2);
      expect(watcher.deliveries.map(textOf)).toEqual(['online', 'offline']);
    });

    test('two services with one client id are told so, each in one line', async () => {
      const broker = await startMosquitto();
      const options = { url: broker.url, protocol, clientId: 'twin', backOff: { firstMs: 5, maxMs: 10 } };
      const twins = [await openLink(options), await openLink(options)];
      await until(() => twins.every(({ link }) => link.reconnects >= 8));
      for (const { events } of twins) {
        const lines = events.filter(({ message }) => message.includes('this one has "twin"'));
        expect(lines).toHaveLength(1);
        expect(events.length).toBeLessThan(8);
      }
    });
  });

  test('5 asks for all messages that may be in flight, keeps its session for days, and obeys the window', async () => {
    const broker = await startMosquitto({ lines: ['max_inflight_messages 7'] });
    const cable = await layCable(broker.port);
    const { link } = await openLink({ url: cable.url, clientId: 'service' });
    expect(cable.sent.includes(Buffer.from([0x21, 0xff, 0xff]))).toBe(true);
    expect(cable.sent.includes(Buffer.from([0x11, 0, 0x09, 0x3a, 0x80]))).toBe(true);
    expect(link.window).toBe(7);
    const sink = createSink(link, { topics: forecasts, qos: 1, retain: false });
    for (let i = 0; i < 100; i++) sink.publish([{ stream: `s${i}`, payload: 'x' }]);
    // one more is for others of the link
    expect(sink).toMatchObject({ inFlight: 6, waiting: 94 });
    await until(() => sink.published === 100);
  });

  test('a client that leaves takes nothing on a later connection either, and another gets it', async () => {
    const broker = await startMosquitto();
    const cable = await layCable(broker.port);
    const sensor = await openLink({ url: broker.url });
    const options = { clientId: 'service', filters: [filter(sensors.filter)] };
    const leaving = await openLink({ url: cable.url, ...options });
    leaving.link.leave();
    cable.cut();
    await until(() => leaving.link.reconnects === 1);
    await send(sensor.link, 'sensors/a', 'late');
    // its answer comes behind what the broker has delivered
    await send(leaving.link, 'goodbye', '');
    await leaving.link.close();
    const next = await openLink({ url: broker.url, ...options });
    await until(() => next.deliveries.length === 1);
    expect(next.deliveries.map(textOf)).toEqual(['late']);
    expect(leaving.deliveries).toEqual([]);
  });

  test('after a loss of the connection 5 has nothing replayed that the session knows', async () => {
    const broker = await startMosquitto();
    const cable = await layCable(broker.port);
    const sensor = await openLink({ url: broker.url });
    await send(sensor.link, 'sensors/a', 'kept', { qos: 0, retain: true });
    const service = await openLink({
      url: cable.url,
      clientId: 'service',
      filters: [filter(sensors.filter)],
    });
    await until(() => service.deliveries.length === 1);
    cable.cut();
    await until(() => service.link.reconnects === 1);
    await send(sensor.link, 'sensors/a', 'live');
    await until(() => service.deliveries.some((delivery) => textOf(delivery) === 'live'));
    expect(service.deliveries.map(textOf)).toEqual(['kept', 'live']);
  });
});
