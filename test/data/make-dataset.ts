import type { Dataset, Series } from '../../src/data/dataset.ts';

type SeriesInput = readonly number[] | { readonly firstSlot: number; readonly values: readonly number[] };

const isRows = (input: SeriesInput): input is readonly number[] => Array.isArray(input);

/** A dataset by hand: a stream a key, rows of `features` values one after the other, from slot 100 unless it says so. */
export function makeDataset(streams: Readonly<Record<string, SeriesInput>>, features = ['x']): Dataset {
  const series = Object.entries(streams).map(([stream, input]): Series => {
    const { firstSlot, values } = isRows(input) ? { firstSlot: 100, values: input } : input;
    const length = values.length / features.length;
    const present = Uint8Array.from({ length }, () => 1);
    return { stream, firstSlot, length, values: Float32Array.from(values), present };
  });
  const counts = { rows: 0, applied: 0, merged: 0, duplicate: 0, missing: 0, late: 0, malformed: 0 };
  return { periodMs: 3_600_000, features, series, sha256: '', counts };
}
