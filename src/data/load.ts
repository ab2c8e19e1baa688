import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { nearestName } from '../math/nearest.ts';
import { createAligner, type Frame } from '../signal/align.ts';
import { formatDuration } from '../signal/duration.ts';
import { slotOf } from '../signal/slots.ts';
import { findColumn, type NumericColumn, parseTable, readNumbers, type Table } from './csv.ts';
import { DataError } from './data-error.ts';
import type { Counts, Dataset, Series } from './dataset.ts';
import { findTimeColumn, groupStreams, medianSpacing, type StreamRows, streamOption } from './rows.ts';

export interface LoadOptions {
  /** The columns to read, in the order of the model's features. */
  readonly features: readonly string[];
  /** The time column; found by its name or its content when absent. */
  readonly time?: string | undefined;
  /** The column that names a row's stream; without it all rows are of the stream `default`. */
  readonly stream?: string | undefined;
  /** The grid; the median spacing of rows when absent. */
  readonly periodMs?: number | undefined;
  /** Takes one line about each thing that was counted and set aside. */
  readonly warn?: ((message: string) => void) | undefined;
}

/** A CSV on disk, or its bytes with the name that messages use. */
export type DataSource = string | { readonly name: string; readonly bytes: Uint8Array };

type MutableCounts = { -readonly [K in keyof Counts]: Counts[K] };

/** More repeated times than this in one stream are two sensors in one file. */
const duplicateShare = 0.05;

/** The dense grid of more cells than this (200 MB) is a mistake in the times or the period. */
const maximumCells = 50_000_000;

/** Reads a CSV onto the regular time grid: a series a stream, NaN where a value is missing, the mean where several rows
 * fall into one slot. */
export function loadDataset(source: DataSource, options: LoadOptions): Dataset {
  const { name, bytes } = typeof source === 'string' ? { name: source, bytes: readBytes(source) } : source;
  const table = parseTable(bytes, name);
  const timeIndex = findTimeColumn(table, options.time);
  const streamIndex = options.stream === undefined ? undefined : findColumn(table, options.stream);
  checkFeatures(table, options, [timeIndex, streamIndex]);
  const columns = options.features.map((feature) => readNumbers(table, feature));
  const { streams, late, firstLateLine } = groupStreams(table, timeIndex, streamIndex);
  const periodMs = settlePeriod(table, streams, options.periodMs);
  checkGrid(table, streams, periodMs, columns.length);

  const counts = countMalformed(table, options, columns);
  const series = streams.map((rows) => alignSeries(rows, columns, { periodMs, counts }));
  counts.late = late * columns.length;
  if (late > 0) {
    const rows = late === 1 ? '1 row comes' : `${late} rows come`;
    options.warn?.(
      `${name} line ${firstLateLine}: ${rows} after a later one, as when a clock is put back: left out`,
    );
  }
  checkDuplicates(table, counts, options);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { periodMs, features: [...options.features], series, sha256, counts };
}

function readBytes(path: string): Uint8Array {
  try {
    if (statSync(path).isDirectory()) throw new DataError(`${path} is a directory, expected a CSV file`);
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw new DataError(`cannot read ${path}: ${message}`, { cause });
    throw new DataError(`no file ${path}${nearbyFile(path)}`, { cause });
  }
}

function nearbyFile(path: string): string {
  try {
    const near = nearestName(basename(path), readdirSync(dirname(path)));
    return near === undefined ? '' : `, did you mean '${near}'?`;
  } catch {
    return ` (there is no directory ${dirname(path)})`;
  }
}

function checkFeatures(table: Table, { features }: LoadOptions, taken: (number | undefined)[]): void {
  if (features.length === 0) throw new DataError(`${table.name}: no feature is named, expected at least one`);
  features.forEach((feature, k) => {
    if (taken.includes(findColumn(table, feature))) {
      throw new DataError(
        `${table.name}: column '${feature}' is the time or the stream, it cannot be a feature too`,
      );
    }
    if (features.indexOf(feature) !== k) {
      throw new DataError(`${table.name}: feature '${feature}' is named twice`);
    }
  });
}

/** The given period, or the one that the rows have. Far below that a stream would be cold at every row. */
function settlePeriod(table: Table, streams: readonly StreamRows[], given: number | undefined): number {
  const spacingMs = medianSpacing(streams);
  if (given === undefined) {
    if (spacingMs !== undefined) return spacingMs;
    throw new DataError(`${table.name}: all rows of a stream have the same time, expected times that rise`);
  }
  if (spacingMs !== undefined && given < spacingMs / 2) {
    const [period, spacing] = [given, spacingMs].map(formatDuration);
    throw new DataError(
      `${table.name}: found a row each ${spacing}, a period of ${period} would leave most slots empty; ` +
        `expected a period of about ${spacing}`,
    );
  }
  return given;
}

function checkGrid(table: Table, streams: readonly StreamRows[], periodMs: number, features: number): void {
  let cells = 0;
  let widest = { gapMs: 0, row: 0 };
  for (const { rows, timesMs } of streams) {
    cells += (slotOf(timesMs[timesMs.length - 1], periodMs) - slotOf(timesMs[0], periodMs) + 1) * features;
    for (let i = 1; i < rows.length; i++) {
      const gapMs = timesMs[i] - timesMs[i - 1];
      if (gapMs > widest.gapMs) widest = { gapMs, row: rows[i] };
    }
  }
  if (cells <= maximumCells) return;
  throw new DataError(
    `${table.name}: a row each ${formatDuration(periodMs)} makes ${cells.toLocaleString('en')} cells, expected at most ` +
      `${maximumCells.toLocaleString('en')}; lengthen the period or correct the times (the widest gap, ` +
      `${(widest.gapMs / 86_400_000).toFixed(1)} days, ends at line ${table.lines[widest.row]})`,
  );
}

/** Every cell that is no number and no word for missing, said once a column. */
function countMalformed(
  table: Table,
  { features, warn }: LoadOptions,
  columns: NumericColumn[],
): MutableCounts {
  const rows = table.rows.length + table.raggedLines.length;
  const ragged = table.raggedLines.length;
  let malformed = ragged * features.length;
  if (ragged > 0) {
    const expected = `expected ${table.columns.length} cells as in the header`;
    warn?.(`${table.name} line ${table.raggedLines[0]}: ${expected} (${ragged} such lines left out)`);
  }
  columns.forEach((column, k) => {
    const first = column.malformed.indexOf(1);
    if (first === -1) return;
    const count = column.malformed.reduce((sum, flag) => sum + flag, 0);
    malformed += count;
    const cell = table.rows[first][table.columns.indexOf(features[k])];
    warn?.(
      `${table.name} line ${table.lines[first]}, column '${features[k]}': found '${cell}', expected a number ` +
        `(${count} such cells count as missing)`,
    );
  });
  return { rows, applied: 0, merged: 0, duplicate: 0, missing: 0, late: 0, malformed };
}

interface AlignmentOptions {
  readonly periodMs: number;
  /** Added to. */
  readonly counts: MutableCounts;
}

function alignSeries(
  stream: StreamRows,
  columns: readonly NumericColumn[],
  options: AlignmentOptions,
): Series {
  const { periodMs, counts } = options;
  const features = columns.length;
  const aligner = createAligner({ periodMs, features, combine: 'mean' });
  const frames: Frame[] = [];
  stream.rows.forEach((row, i) => {
    for (let k = 0; k < features; k++) {
      const value = columns[k].values[row];
      const alignment = aligner.push(stream.timesMs[i], k, value, frames);
      if (columns[k].malformed[row]) continue;
      // rows that are late have been left out already
      if (alignment === 'duplicate') counts.duplicate++;
      else if (Number.isNaN(value)) counts.missing++;
      else counts[alignment as 'applied' | 'merged']++;
    }
  });
  aligner.flush(frames);
  return spreadFrames(stream.name, frames, periodMs, features);
}

function spreadFrames(stream: string, frames: readonly Frame[], periodMs: number, features: number): Series {
  const firstSlot = slotOf(frames[0].timeMs, periodMs);
  const length = slotOf(frames[frames.length - 1].timeMs, periodMs) - firstSlot + 1;
  const values = new Float32Array(length * features).fill(Number.NaN);
  const present = new Uint8Array(length);
  for (const frame of frames) {
    const row = slotOf(frame.timeMs, periodMs) - firstSlot;
    values.set(frame.values, row * features);
    present[row] = 1;
  }
  return { stream, firstSlot, length, values, present };
}

/** Several streams read as one look like a file of duplicates. */
function checkDuplicates(
  table: Table,
  { rows, duplicate }: Counts,
  { features, stream, warn }: LoadOptions,
): void {
  const repeated = Math.ceil(duplicate / features.length);
  if (repeated === 0) return;
  const found = `${table.name}: ${repeated} of ${rows} rows repeat the time of another row`;
  if (stream === undefined && rows >= 20 && repeated > duplicateShare * rows) {
    throw new DataError(`${found}; name the column that tells the sensors apart with ${streamOption}`);
  }
  warn?.(`${found}: the first of them counts`);
}
