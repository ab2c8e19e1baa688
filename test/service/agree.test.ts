import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rowsAt } from '../../src/cli/dataset-rows.ts';
import { historyOf } from '../../src/cli/history.ts';
import { loadDataset } from '../../src/data/load.ts';
import { type Engine, loadModel } from '../../src/engine/engine.ts';
import { type EmbeddedBroker, startBroker } from '../../src/mqtt/broker.ts';
import { createLink, type Link } from '../../src/mqtt/link.ts';
import { parseTopicPattern } from '../../src/mqtt/topic.ts';
import { createLog } from '../../src/service/log.ts';
import { startService } from '../../src/service/service.ts';
import { slotOf } from '../../src/signal/slots.ts';
import type { ForecastMessage } from '../../src/stream/encode.ts';
import { jsonDecoder } from '../../src/stream/read-json.ts';
import { runJson } from '../cli/small-data.ts';
import { until } from '../mqtt/until.ts';

const modelPath = 'models/nyc-weather/nyc-weather.pb';
const dataPath = 'models/nyc-weather/weather.csv';
const air = parseTopicPattern('air/{stream}');
const barometer = parseTopicPattern('barometer/{stream}');
const forecasts = parseTopicPattern('cellstream/{stream}/forecast');

let engine: Engine;
let broker: EmbeddedBroker;
let sensors: Link;
let reader: Link;

beforeAll(async () => {
  engine = await loadModel(readFileSync(modelPath));
  broker = await startBroker();
  sensors = createLink({ url: broker.url });
  reader = createLink({ url: broker.url, filters: [{ topic: forecasts.filter, qos: 1 }] });
});

afterAll(async () => {
  for (const link of [sensors, reader]) await link.close();
  await broker.close();
});

describe('training and serving agree', () => {
  test('to the bit, from the CSV through evaluate and through a broker, with gaps, duplicates and two topics', async () => {
    const { model } = engine;
    const { periodMs, names } = model.input;
    const dataset = loadDataset(dataPath, { features: names, time: 'time_hour', stream: 'origin', periodMs });
    // the last row before the test part forecasts into it
    const from = slotOf(model.training.validationEndMs, periodMs) - 1;
    const to = slotOf(model.training.testEndMs, periodMs);

    const service = await startService({
      ...{ name: 'agree', engine, log: createLog('agree', { quiet: true }), maxStreams: 10 },
      broker: { url: broker.url },
      routes: [
        {
          ...{ topics: air, qos: 1, saysTime: true, brings: ['temp', 'dewp'] },
          decoder: jsonDecoder({ features: [['temp'], ['air', 'dew'], undefined], time: ['time'] }),
        },
        {
          ...{ topics: barometer, qos: 1, saysTime: true, brings: ['pressure'] },
          decoder: jsonDecoder({ features: [undefined, undefined, ['hPa']], time: ['at'] }),
        },
      ],
      publish: { topics: forecasts, qos: 1, retain: false },
      history: historyOf(dataset, from),
    });
    const published = new Map<string, ForecastMessage>();
    reader.onMessage(({ payload }) => {
      const message = JSON.parse(Buffer.from(payload).toString()) as ForecastMessage;
      const key = `${message.stream} ${Date.parse(message.time)}`;
      expect(published.has(key)).toBe(false);
      published.set(key, message);
    });
    for (const open of [() => service.open(), () => sensors.open(), () => reader.open()]) await open();

    let rows = 0;
    const send = (topic: string, body: object) =>
      sensors.publish(topic, JSON.stringify(body), { qos: 0, retain: false });
    const cell = (value: number) => (Number.isNaN(value) ? null : value);
    for (let slot = from; slot < to; slot++) {
      for (const { stream, values } of rowsAt(dataset, slot)) {
        const time = slot * periodMs;
        const first = { time, temp: cell(values[0]), air: { dew: cell(values[1]) } };
        send(air.topicOf(stream), first);
        if (slot % 5 === 0) send(air.topicOf(stream), { ...first, temp: -99 });
        send(barometer.topicOf(stream), { at: time, hPa: cell(values[2]) });
        if (slot % 7 === 0) send(barometer.topicOf(stream), { at: time, hPa: 0 });
        rows++;
      }
      await until(() => published.size > rows - 200);
    }
    await until(() => published.size === rows);
    await service.close();

    expectSessions(published, rows);
    expect(service.readings.ended.applied).toBe(3 * rows);
    expect(service.readings.ended.duplicate).toBeGreaterThan(rows / 5);
    expect(service.readings.ended.late + service.readings.ended.malformed).toBe(0);
    await expectEvaluate(published);

    /** The engine one frame at a time over the rows of the CSV, as evaluate feeds it. */
    function expectSessions(found: ReadonlyMap<string, ForecastMessage>, count: number): void {
      let compared = 0;
      for (const series of dataset.series) {
        const session = engine.openSession(series.stream);
        for (let row = 0; row < series.length; row++) {
          if (series.present[row] === 0) continue;
          const timeMs = (series.firstSlot + row) * periodMs;
          const values = series.values.subarray(row * names.length, (row + 1) * names.length);
          const result = session.step({ timeMs, values });
          if (result.kind !== 'forecast' || series.firstSlot + row < from || series.firstSlot + row >= to)
            continue;
          const { horizons } = found.get(`${series.stream} ${timeMs}`) as ForecastMessage;
          for (const { steps, value, low, high } of horizons) {
            expect(Math.fround(value)).toBe(result.at(steps));
            expect(Math.fround(low as number)).toBe(result.low(steps));
            expect(Math.fround(high as number)).toBe(result.high(steps));
          }
          compared++;
        }
      }
      expect(compared).toBe(count);
    }

    /** The figures of the command, from nothing but what came back over the broker. */
    async function expectEvaluate(found: ReadonlyMap<string, ForecastMessage>): Promise<void> {
      const { at } = await runJson('evaluate', modelPath, '--data', dataPath);
      for (const [h, steps] of model.output.horizons.entries()) {
        let n = 0;
        let sum = 0;
        for (const series of dataset.series) {
          for (let slot = from; slot + steps < to; slot++) {
            const message = found.get(`${series.stream} ${slot * periodMs}`);
            const temp = (at: number) => series.values[(at - series.firstSlot) * names.length] ?? Number.NaN;
            const truth = temp(slot + steps);
            // an origin counts when its target was really read
            if (message === undefined || Number.isNaN(temp(slot)) || Number.isNaN(truth)) continue;
            n++;
            sum += Math.abs(Math.fround(message.horizons[h].value) - truth);
          }
        }
        expect(n).toBeGreaterThan(5000);
        expect(at[steps].mae).toBeCloseTo(sum / n, 9);
      }
    }
  });
});
