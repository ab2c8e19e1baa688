import { roundPeriod } from '../signal/duration.ts';
import { parseTimeMs } from '../signal/times.ts';
import { findColumn, type Table } from './csv.ts';
import { DataError } from './data-error.ts';

/** The rows of one stream, in the order of the file, which is the order of time. */
export interface StreamRows {
  readonly name: string;
  /** Indices into the table's rows. */
  readonly rows: number[];
  readonly timesMs: number[];
}

/** Likely first. */
const timeNames = ['time', 'timestamp', 'datetime', 'date_time', 'time_hour', 'date', 'ts', 'ds', 'epoch'];

const timeFormats = 'ISO 8601 such as 2013-01-01T06:00:00Z, or epoch s or ms';
/** Where a user names a column: on the command line, or in a recipe. */
const timeOption = '--time (in a recipe time:)';
export const streamOption = '--stream (in a recipe stream:)';
const hourMs = 3_600_000;

/** The index of the named column, or of the one whose name or, failing that, whose content says that it is the time. */
export function findTimeColumn(table: Table, name: string | undefined): number {
  if (name !== undefined) return findColumn(table, name);
  const names = table.columns.map((column) => column.toLowerCase());
  const [row] = table.rows;
  const isTime = (index: number) => index >= 0 && !Number.isNaN(parseTimeMs(row[index]));
  const byName = timeNames.map((candidate) => names.indexOf(candidate)).find(isTime);
  const index = byName ?? row.findIndex(looksLikeTime);
  if (index >= 0) return index;
  const place = `${table.name} line ${table.lines[0]}`;
  const named = names.findIndex((column) => timeNames.includes(column));
  if (named >= 0) {
    throw new DataError(
      `${place}: column '${table.columns[named]}' holds '${row[named]}', expected a time (${timeFormats}); ` +
        `correct it or name another column with ${timeOption}`,
    );
  }
  throw new DataError(
    `${place}: found no column of times (${timeFormats}) among ${table.columns.join(', ')}; name it with ${timeOption}`,
  );
}

/** Whether a cell is surely a time: a bare number only where it lies after 1990, so that counters and years do not pass. */
function looksLikeTime(text: string): boolean {
  const timeMs = parseTimeMs(text);
  return Number.isNaN(Number(text)) ? !Number.isNaN(timeMs) : timeMs >= Date.UTC(1990, 0);
}

/** A larger share of rows whose time falls means that the rows are not in the order of time at all. */
const lateLimit = 0.01;

export interface GroupedRows {
  readonly streams: readonly StreamRows[];
  /** Rows left out, as a service does: a clock was put back, and their time was there before. */
  readonly late: number;
  /** The line of the first of them. */
  readonly firstLateLine: number;
}

/** Splits the rows by stream, in the order of their first rows. Within a stream times may stand still; rows whose time
 * falls are set aside. */
export function groupStreams(table: Table, timeIndex: number, streamIndex: number | undefined): GroupedRows {
  const { name: file, columns, lines, rows } = table;
  if (rows.length < 2) throw new DataError(`${file} has ${rows.length} row, expected at least 2`);
  const streams = new Map<string, StreamRows>();
  const falls: Fall[] = [];
  rows.forEach((row, i) => {
    const name = streamIndex === undefined ? 'default' : row[streamIndex];
    if (name === '') {
      throw new DataError(
        `${file} line ${lines[i]}: '${columns[streamIndex ?? 0]}' is empty, expected a stream`,
      );
    }
    const timeMs = parseTimeMs(row[timeIndex]);
    if (Number.isNaN(timeMs)) {
      throw new DataError(
        `${file} line ${lines[i]}, column '${columns[timeIndex]}': found '${row[timeIndex]}', expected a time ` +
          `(${timeFormats}); correct it or name another column with ${timeOption}`,
      );
    }
    const stream = streams.get(name) ?? { name, rows: [], timesMs: [] };
    const last = stream.rows.length - 1;
    if (stream.timesMs[last] > timeMs) {
      const backMs = stream.timesMs[last] - timeMs;
      falls.push({
        before: stream.rows[last],
        row: i,
        backMs,
        stream: streamIndex === undefined ? undefined : name,
      });
      return;
    }
    stream.rows.push(i);
    stream.timesMs.push(timeMs);
    streams.set(name, stream);
  });
  if (falls.length > lateLimit * rows.length) throw fallingTime(table, falls[0], timeIndex);
  return { streams: [...streams.values()], late: falls.length, firstLateLine: lines[falls[0]?.row ?? 0] };
}

interface Fall {
  /** Indices of rows. */
  readonly before: number;
  readonly row: number;
  readonly backMs: number;
  /** Undefined in a file of one stream. */
  readonly stream: string | undefined;
}

function fallingTime(
  { name: file, lines, rows }: Table,
  { before, row, backMs, stream }: Fall,
  timeIndex: number,
): DataError {
  const sort =
    backMs <= hourMs ? 'sort the rows by time, in UTC if clocks were put back' : 'sort the rows by time';
  const where = stream === undefined ? '' : ` of stream '${stream}'`;
  const fix =
    stream === undefined
      ? `${sort}, or name the column that tells the sensors apart with ${streamOption}`
      : sort;
  return new DataError(
    `${file} line ${lines[row]}: time goes back to ${rows[row][timeIndex]} after ` +
      `${rows[before][timeIndex]} on line ${lines[before]}${where}; ${fix}`,
  );
}

/** The distance of a row from the one before it: half of them are shorter, half longer. A little jitter is not meant.
 * @returns undefined when no stream has rows of two times */
export function medianSpacing(streams: readonly StreamRows[]): number | undefined {
  const spacings = streams
    .flatMap(({ timesMs }) => timesMs.slice(1).map((timeMs, i) => timeMs - timesMs[i]))
    .filter((spacingMs) => spacingMs > 0)
    .sort((a, b) => a - b);
  if (spacings.length === 0) return undefined;
  const median = spacings[spacings.length >> 1];
  // what most rows keep to exactly is meant, however odd it is
  const exact = spacings.filter((spacingMs) => spacingMs === median).length;
  // whole milliseconds: slot * periodMs must be exact
  return exact > spacings.length / 2 ? Math.max(1, Math.round(median)) : roundPeriod(median);
}
