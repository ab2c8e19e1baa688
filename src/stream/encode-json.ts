import type { Forecast } from '../engine/forecast.ts';
import { formatTime } from '../signal/times.ts';
import type { EncodeOptions } from './encode.ts';
import { float32Text } from './format.ts';

/** Writes `forecastMessage` of each forecast as JSON: what is the same for all of a model's is written once, at the start. */
export function createJsonEncoder({ model, id }: EncodeOptions): (forecast: Forecast) => string {
  const { targets, horizons } = model.output;
  const { names, periodMs } = model.input;
  const parts = targets.flatMap((feature, target) => {
    const name = targets.length > 1 ? `"target":${JSON.stringify(names[feature])},` : '';
    return horizons.map((steps, h) => ({
      ...{ target, steps, aheadMs: steps * periodMs },
      start: `${target + h > 0 ? '},' : ''}{${name}"steps":${steps},"time":"`,
    }));
  });
  const opening = `","model":${JSON.stringify(id)},"health":"`;
  return (forecast) => {
    const { stream, timeMs, health } = forecast;
    let text = `{"stream":${JSON.stringify(stream)},"time":"${formatTime(timeMs)}${opening}${health}","horizons":[`;
    for (const { target, steps, aheadMs, start } of parts) {
      const value = float32Text(forecast.at(steps, target));
      const ends = interval(forecast.low(steps, target), forecast.high(steps, target));
      text += `${start}${formatTime(timeMs + aheadMs)}","value":${value}${ends}`;
    }
    return `${text}}]}`;
  };
}

function interval(low: number, high: number): string {
  if (Number.isNaN(low) || Number.isNaN(high)) return '';
  return `,"low":${float32Text(low)},"high":${float32Text(high)}`;
}
