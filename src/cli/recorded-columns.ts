import { findColumn, type NumericColumn, readNumbers, type Table } from '../data/csv.ts';
import { DataError } from '../data/data-error.ts';

/** A column of a recording to publish. */
export interface RecordedColumn {
  readonly name: string;
  /** In the rows of the table. */
  readonly index: number;
  /** [rows], 1 where the cell holds text that is neither a number nor a word for missing. */
  readonly malformed: Uint8Array;
  /** [rows], 1 where the cell holds a number. */
  readonly filled: Uint8Array;
}

/** The columns that are named, or all that hold numbers; never the time or the stream.
 * @param taken their indices
 * @param warn takes a line about each thing that is left out */
export function recordedColumns(
  table: Table,
  {
    named,
    taken,
    warn,
  }: { named?: readonly string[]; taken: readonly number[]; warn: (line: string) => void },
): readonly RecordedColumn[] {
  const columns =
    named === undefined ? numericColumns(table, taken, warn) : namedColumns(table, named, taken);
  for (const column of columns) warnOfText(table, column, warn);
  return columns;
}

function namedColumns(table: Table, names: readonly string[], taken: readonly number[]): RecordedColumn[] {
  return names.map((name, i) => {
    if (taken.includes(findColumn(table, name))) {
      throw new DataError(
        `${table.name}: column '${name}' is the time or the stream, it cannot be published too`,
      );
    }
    if (names.indexOf(name) !== i) throw new DataError(`${table.name}: column '${name}' is named twice`);
    return describe(table, name, readNumbers(table, name));
  });
}

function numericColumns(
  table: Table,
  taken: readonly number[],
  warn: (line: string) => void,
): RecordedColumn[] {
  const found: RecordedColumn[] = [];
  table.columns.forEach((name, index) => {
    // a column without a name is the row numbers of the program that wrote the file
    if (taken.includes(index) || name === '') return;
    findColumn(table, name);
    const column = mostlyNumbers(table, name);
    if (!column?.filled.includes(1)) return;
    const first = column.malformed.indexOf(1);
    if (first === -1) found.push(column);
    else {
      const place = `${table.name} line ${table.lines[first]}`;
      warn(
        `${place}: column '${name}' is left out, it holds '${table.rows[first][index]}'; name it with --columns`,
      );
    }
  });
  if (found.length > 0) return found;
  throw new DataError(
    `${table.name}: found no column of numbers beside the time and the stream (its columns: ${table.columns.join(', ')})`,
  );
}

/** undefined: the column holds text. */
function mostlyNumbers(table: Table, name: string): RecordedColumn | undefined {
  try {
    return describe(table, name, readNumbers(table, name));
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}

function describe(table: Table, name: string, { values, malformed }: NumericColumn): RecordedColumn {
  const filled = new Uint8Array(values.length);
  values.forEach((value, row) => {
    if (!Number.isNaN(value)) filled[row] = 1;
  });
  return { name, index: table.columns.indexOf(name), malformed, filled };
}

function warnOfText(
  table: Table,
  { name, index, malformed }: RecordedColumn,
  warn: (line: string) => void,
): void {
  const first = malformed.indexOf(1);
  if (first === -1) return;
  const count = malformed.reduce((sum, flag) => sum + flag, 0);
  warn(
    `${table.name} line ${table.lines[first]}, column '${name}': found '${table.rows[first][index]}', ` +
      `expected a number (${count} such cells left out)`,
  );
}
