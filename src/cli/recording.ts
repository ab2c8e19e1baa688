import { closeSync, ftruncateSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { formatTime } from '../signal/times.ts';
import { numberText } from './number-text.ts';
import { UsageError } from './usage-error.ts';
import { widenCsv } from './widen-csv.ts';

export interface Row {
  readonly stream: string;
  readonly timeMs: number;
  /** By column; NaN is a missing value. */
  readonly values: ReadonlyMap<string, number>;
}

/** The CSV that a recording becomes: `time,stream,<features in the order of their appearance>`, what train reads. It is
 * whole at any moment, but for the rows since the last flush. */
export interface Recording {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  /** Of features. */
  readonly columns: readonly string[];
  /** Makes room for a column.
   * @returns `reserved`: no column can have this name; `full`: there are too many */
  admit(column: string): 'admitted' | 'reserved' | 'full';
  /** Values of columns that were not admitted are left out. */
  write(row: Row): void;
  /** @throws RecordingError */
  flush(): void;
  /** Flushes. A file without rows is removed: it would stand in the way of the next try. */
  close(): void;
}

export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

const columnLimit = 256;
/** Rows in memory at most. */
const pendingLimit = 10_000;

/** Makes the file, and never takes the place of another.
 * @param withStreams whether rows tell their streams apart
 * @throws UsageError */
export function createRecording(path: string, { withStreams }: { readonly withStreams: boolean }): Recording {
  const fixed = withStreams ? ['time', 'stream'] : ['time'];
  const columns: string[] = [];
  const known = new Set<string>();
  let file: number | undefined = createFile(path);
  let [rows, bytes, writtenColumns] = [0, 0, 0];
  let pending: Row[] = [];
  let closed = false;

  const headerLine = () => [...fixed, ...columns].map(textCell).join(',');
  const append = (text: string) => {
    const data = Buffer.from(text);
    file ??= openSync(path, 'a');
    try {
      for (let written = 0; written < data.length; ) written += writeSync(file, data, written);
    } catch (error) {
      // half a line would be half a row
      ftruncateSync(file, bytes);
      throw error;
    }
    bytes += data.length;
  };
  const release = () => {
    if (file !== undefined) closeSync(file);
    file = undefined;
  };
  const widen = () => {
    release();
    bytes = widenCsv(path, headerLine(), columns.length - writtenColumns);
    writtenColumns = columns.length;
  };
  const lineOf = ({ stream, timeMs, values }: Row) => {
    const cells = [formatTime(timeMs), ...(withStreams ? [textCell(stream)] : [])];
    for (const column of columns) cells.push(numberCell(values.get(column)));
    return `${cells.join(',')}\n`;
  };
  const flush = () => {
    try {
      if (columns.length > writtenColumns) widen();
      append(pending.map(lineOf).join(''));
    } catch (cause) {
      throw new RecordingError(`cannot write ${path}: ${(cause as Error).message}`, { cause });
    }
    rows += pending.length;
    pending = [];
  };

  append(`${headerLine()}\n`);
  return {
    path,
    columns,
    get rows() {
      return rows + pending.length;
    },
    get bytes() {
      return bytes;
    },
    admit(column) {
      if (known.has(column)) return 'admitted';
      if (fixed.includes(column) || !isColumnName(column)) return 'reserved';
      if (columns.length === columnLimit) return 'full';
      known.add(column);
      columns.push(column);
      return 'admitted';
    },
    write(row) {
      pending.push(row);
      if (pending.length >= pendingLimit) flush();
    },
    flush,
    close() {
      if (closed) return;
      closed = true;
      try {
        flush();
      } finally {
        release();
        if (rows === 0) rmSync(path, { force: true });
      }
    },
  };
}

function createFile(path: string): number {
  try {
    return openSync(path, 'ax');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') {
      const found = statSync(path, { throwIfNoEntry: false })?.isDirectory()
        ? 'is a folder'
        : 'exists already';
      const fix = found === 'is a folder' ? 'name a file in it' : 'give another name, or remove it';
      throw new UsageError(`--out ${path} ${found}: ${fix}`, { cause });
    }
    const reason = code === 'ENOENT' ? `there is no folder ${dirname(path)}` : message;
    throw new UsageError(`cannot write --out ${path}: ${reason}`, { cause });
  }
}

/** A line feed in a header is beyond most readers of CSV, and an empty name beyond all. */
function isColumnName(column: string): boolean {
  return column !== '' && [...column].every((character) => character >= ' ');
}

/** Quoted where another reader might take part of it for structure. */
function textCell(text: string): string {
  return /[",;\t\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function numberCell(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? '' : numberText(value);
}
