import { map, type OperatorFunction } from 'rxjs';
import { cellstream } from '#proto/telemetry.js';
import type { Forecast, Health } from '../engine/forecast.ts';
import type { Model } from '../model/model.ts';
import { formatTime } from '../signal/times.ts';
import type { Answers } from './denormalize.ts';
import { createJsonEncoder } from './encode-json.ts';
import { shortestFloat32 } from './format.ts';

/** What a transport publishes. */
export interface Publication {
  readonly stream: string;
  readonly payload: string | Uint8Array;
}

/** The end of the road. */
export interface Outcome extends Answers {
  readonly publications: readonly Publication[];
}

export type PayloadFormat = 'json' | 'protobuf';

export interface EncodeOptions {
  readonly model: Model;
  /** The model's id, which each forecast carries. */
  readonly id: string;
  readonly format?: PayloadFormat | undefined;
}

/** A forecast as it is published. */
export interface ForecastMessage {
  readonly stream: string;
  /** ISO 8601, UTC: of the frame that it answers. */
  readonly time: string;
  /** The model's id. */
  readonly model: string;
  readonly health: Health;
  readonly horizons: readonly HorizonMessage[];
}

export interface HorizonMessage {
  /** Where the model has several. */
  readonly target?: string;
  /** Frames ahead. */
  readonly steps: number;
  readonly time: string;
  readonly value: number;
  /** The ends of the 80 % interval; absent where the model was never calibrated. */
  readonly low?: number;
  readonly high?: number;
}

const healthNumbers: Readonly<Record<Health, cellstream.Health>> = {
  cold: cellstream.Health.COLD,
  warming: cellstream.Health.WARMING,
  warm: cellstream.Health.WARM,
  stale: cellstream.Health.STALE,
};

/** Forecasts -> payloads. History publishes nothing. */
export function encode(options: EncodeOptions): OperatorFunction<Answers, Outcome> {
  const payloadOf = createEncoder(options);
  return map((round) => {
    const publications: Publication[] = [];
    if (round.origin === 'live') {
      for (const { result } of round.answers) {
        if (result.kind !== 'forecast') continue;
        publications.push({ stream: result.stream, payload: payloadOf(result) });
      }
    }
    return { ...round, publications };
  });
}

export function createEncoder(options: EncodeOptions): (forecast: Forecast) => string | Uint8Array {
  return options.format === 'protobuf' ? createProtobufEncoder(options) : createJsonEncoder(options);
}

/** The published horizons of a forecast. With several targets each entry names its own. */
export function forecastMessage(forecast: Forecast, { model, id }: EncodeOptions): ForecastMessage {
  const { targets, horizons } = model.output;
  const { names, periodMs } = model.input;
  return {
    stream: forecast.stream,
    time: formatTime(forecast.timeMs),
    model: id,
    health: forecast.health,
    horizons: targets.flatMap((feature, target) =>
      horizons.map((steps) => ({
        ...(targets.length > 1 ? { target: names[feature] } : {}),
        steps,
        time: formatTime(forecast.timeMs + steps * periodMs),
        value: shortestFloat32(forecast.at(steps, target)),
        ...interval(forecast, steps, target),
      })),
    ),
  };
}

/** The same as a message of proto/telemetry.proto. */
function createProtobufEncoder({ model, id }: EncodeOptions): (forecast: Forecast) => Uint8Array {
  const { targets, horizons } = model.output;
  const { names, periodMs } = model.input;
  const parts = targets.flatMap((feature, target) =>
    horizons.map((steps) => ({ target, steps, ...(targets.length > 1 && { name: names[feature] }) })),
  );
  return (forecast) => {
    const { stream, timeMs, health } = forecast;
    return cellstream.Forecast.encode({
      ...{ stream, timeMs, model: id, health: healthNumbers[health] },
      horizons: parts.map(({ target, steps, name }) => ({
        ...(name !== undefined && { target: name }),
        ...{ steps, timeMs: timeMs + steps * periodMs },
        value: shortestFloat32(forecast.at(steps, target)),
        ...interval(forecast, steps, target),
      })),
    }).finish();
  };
}

/** {} of a model that was never calibrated. */
function interval(forecast: Forecast, steps: number, target: number): { low?: number; high?: number } {
  const [low, high] = [forecast.low(steps, target), forecast.high(steps, target)];
  if (Number.isNaN(low) || Number.isNaN(high)) return {};
  return { low: shortestFloat32(low), high: shortestFloat32(high) };
}
