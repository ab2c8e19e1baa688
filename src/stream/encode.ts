import { map, type OperatorFunction } from 'rxjs';
import type { Forecast } from '../engine/forecast.ts';
import type { Model } from '../model/model.ts';
import { formatTime } from '../signal/times.ts';
import type { Answers } from './denormalize.ts';
import { shortestFloat32 } from './format.ts';

/** What a transport publishes. */
export interface Publication {
  readonly stream: string;
  readonly payload: string;
}

/** The end of the road. */
export interface Outcome extends Answers {
  readonly publications: readonly Publication[];
}

export interface EncodeOptions {
  readonly model: Model;
  /** The model's id, which each forecast carries. */
  readonly id: string;
}

/** Forecasts -> JSON. History publishes nothing. */
export function encode(options: EncodeOptions): OperatorFunction<Answers, Outcome> {
  return map((round) => {
    const publications: Publication[] = [];
    if (round.origin === 'live') {
      for (const { result } of round.answers) {
        if (result.kind !== 'forecast') continue;
        publications.push({ stream: result.stream, payload: encodeForecast(result, options) });
      }
    }
    return { ...round, publications };
  });
}

/** The horizons of a published forecast. With several targets each entry names its own. */
export function encodeForecast(forecast: Forecast, { model, id }: EncodeOptions): string {
  const { targets, horizons } = model.output;
  const { names, periodMs } = model.input;
  return JSON.stringify({
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
  });
}

/** {} of a model that was never calibrated. */
function interval(forecast: Forecast, steps: number, target: number): { low?: number; high?: number } {
  const [low, high] = [forecast.low(steps, target), forecast.high(steps, target)];
  if (Number.isNaN(low) || Number.isNaN(high)) return {};
  return { low: shortestFloat32(low), high: shortestFloat32(high) };
}
