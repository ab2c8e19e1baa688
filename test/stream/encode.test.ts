import fc from 'fast-check';
import { of } from 'rxjs';
import { expect, test } from 'vitest';
import { cellstream } from '#proto/telemetry.js';
import { createForecast } from '../../src/engine/answer.ts';
import type { Forecast } from '../../src/engine/forecast.ts';
import type { Model } from '../../src/model/model.ts';
import { encode, forecastMessage, type PayloadFormat } from '../../src/stream/encode.ts';
import { createRandomModel } from '../fixtures/random-model.ts';

const id = 'ab'.repeat(32);
const models = Array.from({ length: 30 }, (_, seed) => createRandomModel(seed));
const calibrated = models.filter(({ calibration }) => calibration.levels.length > 0);

/** A forecast of a model with any values. */
function forecastOf(model: Model, stream: string, timeMs: number, values: readonly number[]): Forecast {
  const forecast = createForecast(model);
  forecast.values.forEach((_, i) => {
    forecast.values[i] = values[i % values.length];
  });
  return Object.assign(forecast, { stream, timeMs, health: 'warming' });
}

function payloadOf(forecast: Forecast, model: Model, format: PayloadFormat): string | Uint8Array {
  const answers = [
    { frame: { stream: forecast.stream, timeMs: 0, values: new Float32Array(1) }, result: forecast },
  ];
  let payload: string | Uint8Array = '';
  of({ origin: 'live' as const, answers, stepUs: 1 })
    .pipe(encode({ model, id, format }))
    .subscribe(({ publications }) => {
      payload = publications[0].payload;
    });
  return payload;
}

const anyForecast = fc
  .record({
    model: fc.constantFrom(...models, ...calibrated),
    stream: fc.string({ unit: 'binary', maxLength: 20 }),
    timeMs: fc.oneof(
      fc.integer({ min: -6e12, max: 2e14 }),
      fc.integer({ max: 2e9 }).map((hour) => hour * 3600),
    ),
    values: fc.array(fc.oneof(fc.float(), fc.float({ min: -1000, max: 1000 })), {
      minLength: 1,
      maxLength: 12,
    }),
  })
  .map(({ model, stream, timeMs, values }) => ({
    model,
    forecast: forecastOf(model, stream, timeMs, values),
  }));

test('the models of these tests have several targets and horizons, and intervals of both kinds', () => {
  expect(models.some(({ output }) => output.targets.length > 1 && output.horizons.length > 1)).toBe(true);
  expect(models.some(({ output }) => output.quantiles.includes(0.1))).toBe(true);
  expect(calibrated.length).toBeGreaterThan(0);
});

test('the JSON of a forecast is that of its message, byte for byte', () => {
  fc.assert(
    fc.property(anyForecast, ({ model, forecast }) => {
      const payload = payloadOf(forecast, model, 'json');
      expect(payload).toBe(JSON.stringify(forecastMessage(forecast, { model, id })));
    }),
    { numRuns: 5000 },
  );
});

test('the protobuf of a forecast holds its message, with times in milliseconds', () => {
  fc.assert(
    fc.property(anyForecast, ({ model, forecast }) => {
      const { health, horizons, ...message } = forecastMessage(forecast, { model, id });
      const decoded = cellstream.Forecast.decode(payloadOf(forecast, model, 'protobuf') as Uint8Array);
      expect(health).toBe('warming');
      const expected = cellstream.Forecast.encode({
        ...message,
        timeMs: forecast.timeMs,
        health: cellstream.Health.WARMING,
        horizons: horizons.map(({ time, ...horizon }) => ({
          ...horizon,
          timeMs: forecast.timeMs + horizon.steps * model.input.periodMs,
        })),
      }).finish();
      expect(decoded).toEqual(cellstream.Forecast.decode(expected));
    }),
    { numRuns: 1000 },
  );
});
