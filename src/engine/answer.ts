import { type Model, outputSize, pointIndex } from '../model/model.ts';
import { spreadQuantiles } from '../model/quantiles.ts';
import { denormalizeValues } from '../signal/scaler.ts';
import type { Forecast } from './forecast.ts';

export type WritableForecast = { -readonly [K in keyof Forecast]: Forecast[K] };

/** The ends of the interval that `low` and `high` give. */
const LOW_LEVEL = 0.1;
const HIGH_LEVEL = 0.9;

/** A forecast to be written over and over. Intervals come from the model's quantile heads where it has them, else
 * from the quantiles of its validation residuals. */
export function createForecast(model: Model): WritableForecast {
  const { output, calibration } = model;
  const { steps, quantiles, targets } = output;
  const count = Math.max(1, quantiles.length);
  const point = pointIndex(output);
  const values = new Float32Array(outputSize(output));
  const rows = targets.length * steps;
  const factors = new Float32Array(targets.length).fill(1);

  function row(step: number, target: number): number {
    if (!Number.isInteger(step) || step < 1 || step > steps) {
      throw new RangeError(`step ${step}, expected 1..${steps}`);
    }
    if (!Number.isInteger(target) || target < 0 || target >= targets.length) {
      throw new RangeError(`target ${target}, expected 0..${targets.length - 1}`);
    }
    return target * steps + step - 1;
  }

  function quantile(level: number, step: number, target = 0): number {
    const head = quantiles.indexOf(level);
    if (head >= 0) return values[row(step, target) * count + head];
    const residual = calibration.levels.indexOf(level);
    if (residual < 0) return Number.NaN;
    const at = row(step, target);
    const reach = Math.fround(factors[target] * calibration.residuals[residual * rows + at]);
    return Math.fround(values[at * count + point] + reach);
  }

  return {
    kind: 'forecast',
    stream: '',
    timeMs: 0,
    health: 'cold',
    values,
    factors,
    at: (step, target = 0) => values[row(step, target) * count + point],
    quantile,
    low: (step, target) => quantile(LOW_LEVEL, step, target),
    high: (step, target) => quantile(HIGH_LEVEL, step, target),
  };
}

/** Writes one target's answers in raw units, scaled back: the newest value, at `newestAt` of the memory, plus g
 * times the increment, or the plain value; every quantile in its place.
 * @param into `factors` comes with g of the stream and leaves with its whole scale beside the common one
 * @param swing where the swing that widens its distances lies in the memory, or -1 */
export type AnswerReader = (
  outputs: Float32Array,
  position: number,
  target: number,
  memory: Float32Array,
  newestAt: number,
  swing: number,
  channel: number,
  into: Pick<Forecast, 'values' | 'factors'>,
) => void;

export function createAnswerReader({ input, output }: Model): AnswerReader {
  const rows = outputSize(output);
  const rowsPerTarget = rows / output.targets.length;
  const count = Math.max(1, output.quantiles.length);
  const point = pointIndex(output);
  return (outputs, position, target, memory, newestAt, swing, channel, { values, factors }) => {
    const scaler = (channel * input.features + output.targets[target]) * 2;
    const from = target * rowsPerTarget;
    const to = from + rowsPerTarget;
    for (let o = from; o < to; o++) values[o] = outputs[position * rows + o];
    spreadQuantiles(values, from, to, count, point, memory, swing);
    if (!output.plain)
      for (let o = from; o < to; o++) values[o] = memory[newestAt] + Math.fround(factors[target] * values[o]);
    denormalizeValues(values, from, to, input.scalers, scaler);
    // residuals are those of the scale that all channels share
    const ratio = Math.fround(input.scalers[scaler + 1] / input.scalers[output.targets[target] * 2 + 1]);
    factors[target] = Math.fround(factors[target] * ratio);
  };
}
