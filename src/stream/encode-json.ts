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
    return horizons.map((steps) => ({
      ...{ target, steps, aheadMs: steps * periodMs },
      opening: `{${name}"steps":${steps},"time":"`,
    }));
  });
  const modelText = `","model":${JSON.stringify(id)},"health":"`;
  return (forecast) => {
    let text = `{"stream":${JSON.stringify(forecast.stream)},"time":"${formatTime(forecast.timeMs)}`;
    text += `${modelText}${forecast.health}","horizons":[`;
    for (let i = 0; i < parts.length; i++) {
      const { target, steps, aheadMs, opening } = parts[i];
      const value = float32Text(forecast.at(steps, target));
      const ends = interval(forecast.low(steps, target), forecast.high(steps, target));
      text += `${i > 0 ? ',' : ''}${opening}${formatTime(forecast.timeMs + aheadMs)}","value":${value}${ends}}`;
    }
    return `${text}]}`;
  };
}

function interval(low: number, high: number): string {
  if (Number.isNaN(low) || Number.isNaN(high)) return '';
  return `,"low":${float32Text(low)},"high":${float32Text(high)}`;
}
