import type { Dataset, Series } from '../data/dataset.ts';

/** One stream's values of one time slot. */
export interface Row {
  readonly stream: string;
  /** [F], raw units, NaN where missing. */
  readonly values: Float32Array;
}

export function firstSlotOf({ series }: Dataset): number {
  return Math.min(...series.map(({ firstSlot }) => firstSlot));
}

/** The rows that were really read in a slot. */
export function rowsAt({ series, features }: Dataset, slot: number): Row[] {
  return series.flatMap((one) => rowAt(one, slot, features.length) ?? []);
}

function rowAt({ stream, firstSlot, length, present, values }: Series, slot: number, features: number) {
  const row = slot - firstSlot;
  if (row < 0 || row >= length || present[row] === 0) return undefined;
  return { stream, values: values.subarray(row * features, (row + 1) * features) };
}
