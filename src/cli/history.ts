import { type DataColumns, loadDataColumns } from '../config/import-spec.ts';
import { parseTable } from '../data/csv.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Model } from '../model/model.ts';
import { formatDuration } from '../signal/duration.ts';
import type { Reading } from '../stream/decode.ts';
import { firstSlotOf, rowsAt } from './dataset-rows.ts';
import { readInputFile } from './input-file.ts';
import { loadForRecipe } from './prepare.ts';
import { UsageError } from './usage-error.ts';

/** A recording as the past of a service's streams. */
export interface History {
  /** A batch a time slot, in the order of time. */
  readonly batches: Iterable<readonly Reading[]>;
  readonly streams: number;
  /** The newest row. */
  readonly endMs: number;
}

/** Reads a CSV with the columns of the recipe that the model was trained by. */
export function loadHistory(path: string, model: Model, warn: (line: string) => void): History {
  const columns = loadDataColumns(model.training.recipe, 'the recipe in the model');
  const { dataset } = loadForRecipe(withColumnsOf(path, columns), path, warn);
  const { periodMs, series } = dataset;
  if (periodMs !== model.input.periodMs) {
    const [found, expected] = [periodMs, model.input.periodMs].map(formatDuration);
    throw new UsageError(`${path} has a row each ${found}, expected ${expected} as the model was trained`);
  }
  const end = Math.max(...series.map(({ firstSlot, length }) => firstSlot + length));
  return { batches: historyOf(dataset, end), streams: series.length, endMs: (end - 1) * periodMs };
}

/** A recording need not call its time and its sensors what the training data did: `record` writes `time` and `stream`. */
function withColumnsOf(path: string, { time, stream, ...rest }: DataColumns): DataColumns {
  const { columns } = parseTable(readInputFile(path, 'recording'), path);
  const streamColumn = [stream, 'stream'].find((name) => name !== undefined && columns.includes(name));
  return {
    ...rest,
    ...(time !== undefined && columns.includes(time) && { time }),
    ...(streamColumn !== undefined && { stream: streamColumn }),
  };
}

/** Every row before the slot `end`, a batch a time slot. */
export function* historyOf(dataset: Dataset, end: number): Generator<readonly Reading[]> {
  for (let slot = firstSlotOf(dataset); slot < end; slot++) {
    const timeMs = slot * dataset.periodMs;
    const readings = rowsAt(dataset, slot).flatMap(({ stream, values }) =>
      Array.from(values, (value, feature) => ({ stream, timeMs, feature, value })),
    );
    if (readings.length > 0) yield readings;
  }
}
