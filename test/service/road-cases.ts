import { describe, expect, test } from 'vitest';
import { cellstream } from '#proto/telemetry.js';
import { countAll } from '../../src/stream/counters.ts';
import type { ForecastMessage } from '../../src/stream/encode.ts';
import { openLink, send, textOf } from '../mqtt/links.ts';
import { until } from '../mqtt/until.ts';
import { hourMs, startMs } from '../stream/tiny-engine.ts';
import { engine, openTestService, payloadAt } from './service-cases.ts';

export interface RoadBroker {
  readonly protocol: '5' | '3.1.1';
  /** The URL of a broker of this test. */
  start(): Promise<string>;
}

const forecastFilter = { topic: 'cellstream/+/forecast', qos: 1 } as const;

/** The road from sensors to forecasts, on any broker. */
export function describeRoad(name: string, { protocol, start }: RoadBroker): void {
  describe(`the service on ${name} with MQTT ${protocol}`, () => {
    test('answers every message once, in order, with the bits of a session', async () => {
      const url = await start();
      const { service } = await openTestService({ url, protocol });
      const reader = await openLink({ url, protocol, filters: [forecastFilter] });
      const sensor = await openLink({ url, protocol });
      for (let hour = 0; hour < 50; hour++) {
        for (const stream of ['EWR', 'JFK']) {
          await send(sensor.link, `sensors/${stream}/weather`, payloadAt(hour));
        }
      }
      await until(() => reader.deliveries.length === 100);
      const answers = reader.deliveries.map((delivery) => JSON.parse(textOf(delivery)) as ForecastMessage);
      for (const stream of ['EWR', 'JFK']) {
        const session = engine.openSession(stream);
        const values = answers
          .filter((answer) => answer.stream === stream)
          .map(({ horizons }) => horizons[1].value);
        const expected = values.map((_, hour) => {
          const frame = JSON.parse(payloadAt(hour));
          const result = session.step({ timeMs: frame.time, values: [frame.temp, frame.pressure] });
          return result.kind === 'forecast' ? result.at(3) : undefined;
        });
        expect(values.map(Math.fround)).toEqual(expected);
      }
      expect(service.readings.ended).toMatchObject({ applied: 200, malformed: 0 });
      await until(() => service.sink.published === 100);
      expect(service.sink).toMatchObject({ superseded: 0, dropped: 0, failed: 0, waiting: 0 });
    });

    test('counts bad input by reason, says each reason once with the topic, and goes on', async () => {
      const url = await start();
      const { service, lines } = await openTestService({ url, protocol });
      const sensor = await openLink({ url, protocol });
      const bad: readonly (readonly [reason: string, payload: string | Uint8Array])[] = [
        ['not JSON', 'on'],
        ['not JSON', '{"time":0,"temp":NaN}'],
        ['not JSON', '{"time":0,"temp":Infinity}'],
        ['no feature', '{"time":0,"humidity":4}'],
        ['no time', '{"temp":4}'],
        ['bad time', '{"time":"noon","temp":4}'],
        ['far future', '{"time":"2999-01-01T00:00:00Z","temp":4}'],
        ['not a number', '{"time":0,"temp":"hot"}'],
        ['out of range', '{"time":0,"temp":1e300}'],
        ['too large', new Uint8Array(10_000_000).fill(0x20)],
        ['not UTF-8', Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d)],
      ];
      for (let hour = 0; hour < 22; hour++) {
        const [, payload] = bad[hour % bad.length];
        sensor.link.publish('sensors/bad/weather', payload, { qos: 0, retain: false });
        await send(sensor.link, 'sensors/good/weather', payloadAt(hour));
      }
      await until(() => countAll(service.readings) === 22 * 3);
      const expected: Record<string, number> = {};
      for (const [reason] of bad) expected[reason] = (expected[reason] ?? 0) + 2;
      expect(service.readings.malformed).toEqual(expected);
      expect(service.readings.ended).toMatchObject({ applied: 44, malformed: 22 });
      const said = lines.filter(({ level }) => level === 'warn');
      expect(said.map(({ reason }) => reason).sort()).toEqual(Object.keys(expected).sort());
      for (const { topic } of said) expect(topic).toBe('sensors/bad/weather');
      await until(() => service.sink.published === 22);
    });

    test('shows what the broker had kept and steps nothing with it; what is published live with retain, it steps', async () => {
      const url = await start();
      const sensor = await openLink({ url, protocol });
      const publish = (hour: number) =>
        send(sensor.link, 'sensors/a/weather', payloadAt(hour, 70 + hour), { retain: true });
      await publish(0);
      const { service } = await openTestService({ url, protocol });
      await until(() => service.readings.ended.retained === 2);
      const row = () => service.view({ filter: '', target: 0, stream: '' }).rows[0];
      expect(row()).toMatchObject({ stream: 'a', value: 70, retained: true, health: 'silent', forecast: [] });
      expect(service.sink.published).toBe(0);
      await publish(1);
      await until(() => service.sink.published === 1);
      expect(row()).toMatchObject({ stream: 'a', value: 71, retained: false, health: 'cold' });
      expect(service.readings.ended).toMatchObject({ applied: 2, retained: 2 });
    });

    test('never consumes what it publishes itself, whatever its subscriptions match', async () => {
      const url = await start();
      const subscribe = ['{ topic: cellstream/{stream}/{feature}, format: number }'];
      const publish = { topic: 'cellstream/{stream}/pressure' };
      const { service } = await openTestService({ url, protocol, subscribe, publish });
      const sensor = await openLink({ url, protocol });
      await send(sensor.link, 'cellstream/a/temp', '50');
      // a frame of one feature is closed by the next one; here only a stranger's pressure could close it
      await send(sensor.link, 'cellstream/a/pressure', '1000');
      await send(sensor.link, 'cellstream/a/humidity', '40');
      await until(() => service.readings.ended.malformed === 1);
      expect(service.readings.ended).toMatchObject({ applied: 1, malformed: 1 });
      expect(service.aside.own + service.aside.unrouted).toBeGreaterThan(0);
    });

    test('reads and writes protobuf', async () => {
      const url = await start();
      const subscribe = ['{ topic: pb/{stream}, format: protobuf }'];
      await openTestService({ url, protocol, subscribe, format: 'protobuf' });
      const reader = await openLink({ url, protocol, filters: [forecastFilter] });
      const sensor = await openLink({ url, protocol });
      const values = [{ feature: 'temp', value: 51.5 }, { feature: 'pressure' }];
      const reading = cellstream.Reading.encode({ timeMs: startMs, values }).finish();
      sensor.link.publish('pb/attic', reading, { qos: 1, retain: false });
      await until(() => reader.deliveries.length === 1);
      const forecast = cellstream.Forecast.decode(reader.deliveries[0].payload);
      const result = engine.openSession().step({ timeMs: startMs, values: [51.5, Number.NaN] });
      if (result.kind !== 'forecast') throw new Error('no forecast');
      expect(forecast).toMatchObject({ stream: 'attic', timeMs: startMs, model: engine.id });
      expect(forecast.horizons.map(({ steps, timeMs }) => [steps, timeMs])).toEqual([
        [1, startMs + hourMs],
        [3, startMs + 3 * hourMs],
      ]);
      expect(forecast.horizons.map(({ value }) => Math.fround(value ?? 0))).toEqual([
        result.at(1),
        result.at(3),
      ]);
      expect(Math.fround(forecast.horizons[0].low ?? 0)).toBe(result.low(1));
    });

    test('sets readings of more streams aside than it may have', async () => {
      const url = await start();
      const { service } = await openTestService({ url, protocol, maxStreams: 3 });
      const sensor = await openLink({ url, protocol });
      for (let i = 0; i < 5; i++) await send(sensor.link, `sensors/s${i}/weather`, payloadAt(0));
      await until(() => countAll(service.readings) === 10);
      expect(service.readings.ended).toMatchObject({ applied: 6, overflow: 4 });
    });

    test('says online and offline', async () => {
      const url = await start();
      const reader = await openLink({
        url,
        protocol,
        filters: [{ topic: 'cellstream/test/status', qos: 1 }],
      });
      const { service } = await openTestService({ url, protocol });
      await until(() => reader.deliveries.some((delivery) => textOf(delivery) === 'online'));
      await service.close();
      await until(() => reader.deliveries.some((delivery) => textOf(delivery) === 'offline'));
    });
  });
}
