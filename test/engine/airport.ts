import { readFileSync } from 'node:fs';
import { loadDataset } from '../../src/data/load.ts';
import { createSession } from '../../src/engine/session.ts';
import { readModelFile } from '../../src/model/format.ts';
import type { Model } from '../../src/model/model.ts';
import { slotOf } from '../../src/signal/slots.ts';

/** The shipped model, and the airports that it was trained on. */
export const { model: shipped } = readModelFile(readFileSync('models/nyc-weather/nyc-weather.pb'));
const { names, periodMs } = shipped.input;
export const weather = loadDataset('models/nyc-weather/weather.csv', {
  ...{ features: names, time: 'time_hour', stream: 'origin', periodMs },
});
export const trainEnd = slotOf(shipped.training.trainEndMs, periodMs);

/** One hour of an airport as the engine gets it. */
export interface Message {
  /** The slot that the engine is told. */
  readonly slot: number;
  /** The row of the series that it is. */
  readonly row: number;
}

interface Listening {
  readonly airport: number;
  readonly stream: string;
  /** Messages before it warm the stream up. */
  readonly scoredFrom: number;
  /** From the units of the file to those of the sensor, by feature, and the size of the target's unit in the file's. */
  readonly convert?: (value: number, feature: number) => number;
  readonly unit?: number;
}

/** Mean absolute error of the temperature over all steps ahead, in the file's units, of the forecasts that these messages
 * get, and how many truths lie in the 80 % interval. */
export function listen(
  model: Model,
  messages: readonly Message[],
  { airport, stream, scoredFrom, convert = (value) => value, unit = 1 }: Listening,
): { mae: number; coverage: number } {
  const { values } = weather.series[airport];
  const read = (row: number, feature: number) => convert(values[row * names.length + feature], feature);
  const target = model.output.targets[0];
  const session = createSession(model, stream);
  let [sum, inside, count] = [0, 0, 0];
  messages.forEach(({ slot, row }, i) => {
    const frame = names.map((_, k) => read(row, k));
    const answer = session.step({ timeMs: slot * periodMs, values: frame });
    if (answer.kind !== 'forecast') throw new Error(answer.kind);
    if (i < scoredFrom) return;
    for (let step = 1; step <= model.output.steps; step++) {
      const truth = read(row + step, target);
      if (Number.isNaN(truth)) continue;
      sum += Math.abs(answer.at(step) - truth) * unit;
      if (answer.low(step) <= truth && truth <= answer.high(step)) inside++;
      count++;
    }
  });
  return { mae: sum / count, coverage: inside / count };
}

/** The rows of an airport that were read, from the end of the training on. */
export function hoursOf(airport: number, count = Number.POSITIVE_INFINITY): Message[] {
  const { firstSlot, length, present } = weather.series[airport];
  const first = trainEnd - firstSlot;
  const rows = Array.from({ length: Math.min(count, length - first - 24) }, (_, i) => first + i);
  return rows.filter((row) => present[row] === 1).map((row) => ({ slot: firstSlot + row, row }));
}
