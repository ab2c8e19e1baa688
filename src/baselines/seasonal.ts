import type { HeldValues } from '../data/held.ts';
import type { Forecaster, ForecastTask } from './forecaster.ts';

/** The last known season repeats: x[t+s] = x[t+s-nP], with n the smallest that reaches what is known. */
export function createSeasonal(
  held: HeldValues,
  { targets, steps, season }: ForecastTask & { readonly season: number },
): Forecaster {
  return {
    name: 'seasonal',
    forecast(series, origin, out) {
      targets.forEach((k, m) => {
        const values = held[series][k];
        for (let s = 1; s <= steps; s++) {
          const row = origin + s - season * Math.ceil(s / season);
          // a stream younger than a season began with its first value
          out[m * steps + s - 1] = values[Math.max(0, row)];
        }
      });
    },
  };
}
