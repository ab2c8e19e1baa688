import type { Dataset, Series } from '../data/dataset.ts';
import type { Model } from '../model/model.ts';
import { slotOf } from '../signal/slots.ts';
import { formatTime } from '../signal/times.ts';
import type { Reading } from '../stream/decode.ts';
import { shortestFloat32 } from '../stream/format.ts';

/** One row of a station as it goes over the wire. */
export interface SensorMessage {
  readonly stream: string;
  readonly time: string;
  readonly payload: string;
}

/** All stations' messages of one time slot. */
export type Tick = readonly SensorMessage[];

/** Every row before the test part, a batch a time slot. */
export function* historyOf(dataset: Dataset, model: Model): Generator<readonly Reading[]> {
  const end = slotOf(model.training.validationEndMs, dataset.periodMs);
  for (let slot = firstSlot(dataset); slot < end; slot++) {
    const timeMs = slot * dataset.periodMs;
    const readings = rowsAt(dataset, slot).flatMap(({ stream, values }) =>
      Array.from(values, (value, feature) => ({ stream, timeMs, feature, value })),
    );
    if (readings.length > 0) yield readings;
  }
}

/** The rows of the test part, in the order of time. A row that is missing is not sent; a missing cell is null. */
export function testTicks(dataset: Dataset, model: Model): Tick[] {
  const { validationEndMs, testEndMs } = model.training;
  const ticks: Tick[] = [];
  for (let timeMs = validationEndMs; timeMs < testEndMs; timeMs += dataset.periodMs) {
    const messages = rowsAt(dataset, slotOf(timeMs, dataset.periodMs)).map(({ stream, values }) => ({
      stream,
      time: formatTime(timeMs),
      payload: encodeRow(timeMs, dataset.features, values),
    }));
    if (messages.length > 0) ticks.push(messages);
  }
  return ticks;
}

function firstSlot({ series }: Dataset): number {
  return Math.min(...series.map((one) => one.firstSlot));
}

interface Row {
  readonly stream: string;
  readonly values: Float32Array;
}

function rowsAt({ series, features }: Dataset, slot: number): Row[] {
  return series.flatMap((one) => rowAt(one, slot, features.length) ?? []);
}

function rowAt({ stream, firstSlot, length, present, values }: Series, slot: number, features: number) {
  const row = slot - firstSlot;
  if (row < 0 || row >= length || present[row] === 0) return undefined;
  return { stream, values: values.subarray(row * features, (row + 1) * features) };
}

function encodeRow(timeMs: number, features: readonly string[], values: Float32Array): string {
  const body: Record<string, unknown> = { time: formatTime(timeMs) };
  features.forEach((feature, k) => {
    body[feature] = Number.isNaN(values[k]) ? null : shortestFloat32(values[k]);
  });
  return JSON.stringify(body);
}
