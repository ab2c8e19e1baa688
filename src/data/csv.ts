import { CsvError, parse } from 'csv-parse/sync';
import { nearestName } from '../math/nearest.ts';
import { DataError } from './data-error.ts';

/** A CSV as text: every row has one cell for each column. */
export interface Table {
  /** The file, as messages name it. */
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** The line of the file that each row stands on; the header is line 1. */
  readonly lines: readonly number[];
  /** Lines with more or fewer cells than the header has. */
  readonly raggedLines: readonly number[];
}

/** A column of numbers. */
export interface NumericColumn {
  /** [rows], NaN where missing or malformed. */
  readonly values: Float32Array;
  /** [rows], 1 where the cell holds other text. */
  readonly malformed: Uint8Array;
}

/** A larger share of malformed rows or cells means that the column is not what the recipe takes it for. */
const malformedLimit = 0.1;

const missingWords = new Set(['', 'NA', 'NaN', 'nan', 'null', 'None', 'unknown', 'unavailable']);
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

interface CsvRow {
  readonly record: string[];
  readonly info: { readonly lines: number };
}

function decodeText(bytes: Uint8Array, name: string): string {
  try {
    // drops a byte order mark
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`${name}: found bytes that are not UTF-8 text, expected a CSV saved as UTF-8`, {
      cause,
    });
  }
}

function findDelimiter(text: string): string {
  const header = text
    .trimStart()
    .split(/[\r\n]/, 1)[0]
    .replace(/"[^"]*"/g, '');
  const counted = [',', ';', '\t'].map((delimiter) => ({ delimiter, count: header.split(delimiter).length }));
  return counted.reduce((best, next) => (next.count > best.count ? next : best)).delimiter;
}

function parseRows(text: string, name: string): CsvRow[] {
  try {
    return parse(text, {
      delimiter: findDelimiter(text),
      info: true,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
    }) as unknown as CsvRow[];
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new DataError(`${name}: not a CSV: ${cause.message.replace(/\s+/g, ' ')}; close the quotes`, {
      cause,
    });
  }
}

/** @param name what messages call it, such as its path */
export function parseTable(bytes: Uint8Array, name: string): Table {
  const [header, ...body] = parseRows(decodeText(bytes, name), name);
  if (header === undefined) throw new DataError(`${name} is empty, expected a header line and rows below it`);
  const columns = header.record;
  if (body.length === 0) {
    throw new DataError(`${name} has a header (${columns.join(', ')}) and no rows, expected at least 2 rows`);
  }
  const whole = body.filter(({ record }) => record.length === columns.length);
  const ragged = body.filter(({ record }) => record.length !== columns.length);
  if (ragged.length > malformedLimit * body.length) {
    const [{ record, info }] = ragged;
    throw new DataError(
      `${name} line ${info.lines}: ${record.length} cells, expected ${columns.length} as in the header ` +
        `(${ragged.length} of ${body.length} lines differ); quote cells that hold the delimiter`,
    );
  }
  return {
    name,
    columns,
    rows: whole.map(({ record }) => record),
    lines: whole.map(({ info }) => info.lines),
    raggedLines: ragged.map(({ info }) => info.lines),
  };
}

/** The index of the column called `column`. */
export function findColumn(table: Table, column: string): number {
  const index = table.columns.indexOf(column);
  if (index === -1) {
    const near = nearestName(column, table.columns);
    const hint = near === undefined ? '' : `, did you mean '${near}'?`;
    throw new DataError(
      `${table.name} has no column '${column}'${hint} (its columns: ${table.columns.join(', ')})`,
    );
  }
  if (table.columns.lastIndexOf(column) !== index) {
    throw new DataError(`${table.name} line 1: two columns are called '${column}'; rename one of them`);
  }
  return index;
}

/** Reads a column as float32, the one rounding of every value. */
export function readNumbers(table: Table, column: string): NumericColumn {
  const index = findColumn(table, column);
  const values = new Float32Array(table.rows.length).fill(Number.NaN);
  const malformed = new Uint8Array(table.rows.length);
  let first = -1;
  let count = 0;
  table.rows.forEach((row, i) => {
    const cell = row[index];
    if (missingWords.has(cell)) return;
    const value = decimal.test(cell) ? Math.fround(Number(cell)) : Number.NaN;
    if (Number.isFinite(value)) {
      values[i] = value;
      return;
    }
    malformed[i] = 1;
    if (count++ === 0) first = i;
  });
  if (count > malformedLimit * table.rows.length) {
    const cell = table.rows[first][index];
    const fix = /^[+-]?\d+,\d+$/.test(cell)
      ? 'write decimals with a point'
      : `leave '${column}' out of features`;
    throw new DataError(
      `${table.name} line ${table.lines[first]}, column '${column}': found '${cell}', expected a number ` +
        `(${count} of ${table.rows.length} cells are none); ${fix}`,
    );
  }
  return { values, malformed };
}
