import type { Dataset } from '../data/dataset.ts';
import type { Model } from '../model/model.ts';
import { slotOf } from '../signal/slots.ts';
import { formatTime } from '../signal/times.ts';
import { shortestFloat32 } from '../stream/format.ts';
import { rowsAt } from './dataset-rows.ts';
import type { Tick } from './player.ts';

/** The rows of the test part, in the order of time. A row that is missing is not sent; a missing cell is null. */
export function testTicks(dataset: Dataset, model: Model): Tick[] {
  const { validationEndMs, testEndMs } = model.training;
  const ticks: Tick[] = [];
  for (let timeMs = validationEndMs; timeMs < testEndMs; timeMs += dataset.periodMs) {
    const messages = rowsAt(dataset, slotOf(timeMs, dataset.periodMs)).map(({ stream, values }) => ({
      stream,
      payload: encodeRow(timeMs, dataset.features, values),
      numbers: values.length,
    }));
    if (messages.length > 0) ticks.push({ timeMs, messages });
  }
  return ticks;
}

function encodeRow(timeMs: number, features: readonly string[], values: Float32Array): string {
  const body: Record<string, unknown> = { time: formatTime(timeMs) };
  features.forEach((feature, k) => {
    body[feature] = Number.isNaN(values[k]) ? null : shortestFloat32(values[k]);
  });
  return JSON.stringify(body);
}
