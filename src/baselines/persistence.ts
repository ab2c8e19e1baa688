import type { HeldValues } from '../data/held.ts';
import type { Forecaster, ForecastTask } from './forecaster.ts';

/** Everything stays as it is: x[t+s] = x[t]. */
export function createPersistence(held: HeldValues, { targets, steps }: ForecastTask): Forecaster {
  return {
    name: 'persistence',
    forecast(series, origin, out) {
      targets.forEach((k, m) => {
        out.fill(held[series][k][origin], m * steps, (m + 1) * steps);
      });
    },
  };
}
