import { findColumn, parseTable, type Table } from '../data/csv.ts';
import { DataError } from '../data/data-error.ts';
import { findTimeColumn } from '../data/rows.ts';
import { formatTime, parseTimeMs } from '../signal/times.ts';
import { numberText } from './number-text.ts';
import type { PlayedMessage, Tick } from './player.ts';
import { type RecordedColumn, recordedColumns } from './recorded-columns.ts';

/** A recording as the messages that its sensors would send. */
export interface RecordedMessages {
  /** In the order of time, rows of one time in the order of the file; made as they are taken. */
  readonly ticks: Iterable<Tick>;
  readonly tickCount: number;
  readonly streams: readonly string[];
  readonly columns: readonly string[];
}

export interface RecordedMessagesOptions {
  readonly time?: string | undefined;
  readonly stream?: string | undefined;
  readonly columns?: readonly string[] | undefined;
  /** A message for each number, the topic names the column; otherwise a JSON message for each row. */
  readonly numberMessages: boolean;
  /** Takes one line about each thing that is counted and set aside. */
  readonly warn: (line: string) => void;
}

/** The key of the time in JSON messages. */
const timeKey = 'time';
/** Of rows without a stream column; their topic has no place for it. */
const onlyStream = 'default';

/** @param name what messages call the file
 * @throws DataError */
export function readRecordedMessages(
  bytes: Uint8Array,
  name: string,
  options: RecordedMessagesOptions,
): RecordedMessages {
  const { warn, numberMessages } = options;
  const table = parseTable(bytes, name);
  const timeIndex = findTimeColumn(table, options.time);
  const streamIndex = options.stream === undefined ? undefined : findColumn(table, options.stream);
  const columns = recordedColumns(table, {
    ...(options.columns && { named: options.columns }),
    taken: streamIndex === undefined ? [timeIndex] : [timeIndex, streamIndex],
    warn,
  });
  checkColumnNames(table, columns, numberMessages);
  warnOfRaggedLines(table, warn);
  const timesMs = Float64Array.from(table.rows, (row) => parseTimeMs(row[timeIndex]));
  const rows = timedRows(table, { timesMs, timeIndex, warn });
  const streamOf = (row: number) => (streamIndex === undefined ? onlyStream : table.rows[row][streamIndex]);
  const streams = checkStreams(table, { rows, timesMs, streamOf, warn });
  sortByTime(rows, timesMs);
  const messagesOf = numberMessages ? numbersOfRow : jsonOfRow;
  return {
    ticks: {
      [Symbol.iterator]: () =>
        groupByTime(rows, timesMs, (row) =>
          messagesOf({ cells: table.rows[row], row, timeMs: timesMs[row], stream: streamOf(row), columns }),
        ),
    },
    tickCount: rows.reduce((count, row, i) => count + Number(timesMs[row] !== timesMs[rows[i - 1]]), 0),
    streams,
    columns: columns.map((column) => column.name),
  };
}

interface RecordedRow {
  readonly cells: readonly string[];
  /** Index in the table. */
  readonly row: number;
  readonly timeMs: number;
  readonly stream: string;
  readonly columns: readonly RecordedColumn[];
}

/** `{"time":"2013-01-01T06:00:00Z","temp":39.02,"dewp":null}`; none for a row that has nothing to say. */
function jsonOfRow({ cells, row, timeMs, stream, columns }: RecordedRow): PlayedMessage[] {
  const members: string[] = [];
  let numbers = 0;
  for (const { name, index, malformed, filled } of columns) {
    if (malformed[row]) continue;
    // written by hand: an object would move a column called 7 to the front
    members.push(`${JSON.stringify(name)}:${filled[row] ? numberText(Number(cells[index])) : 'null'}`);
    numbers += filled[row];
  }
  if (members.length === 0) return [];
  return [{ stream, payload: `{"${timeKey}":"${formatTime(timeMs)}",${members.join(',')}}`, numbers }];
}

function numbersOfRow({ cells, row, stream, columns }: RecordedRow): PlayedMessage[] {
  return columns
    .filter(({ filled }) => filled[row])
    .map(({ name, index }) => ({
      stream,
      feature: name,
      payload: numberText(Number(cells[index])),
      numbers: 1,
    }));
}

function* groupByTime(
  rows: readonly number[],
  timesMs: Float64Array,
  messagesOf: (row: number) => PlayedMessage[],
): Generator<Tick> {
  for (let i = 0; i < rows.length; ) {
    const timeMs = timesMs[rows[i]];
    const messages: PlayedMessage[] = [];
    for (; i < rows.length && timesMs[rows[i]] === timeMs; i++) messages.push(...messagesOf(rows[i]));
    yield { timeMs, messages };
  }
}

/** The rows that have a time, in the order of the file. */
function timedRows(
  { name, lines, rows }: Table,
  { timesMs, timeIndex, warn }: { timesMs: Float64Array; timeIndex: number; warn: (line: string) => void },
): number[] {
  const timed = rows.flatMap((_, row) => (Number.isNaN(timesMs[row]) ? [] : [row]));
  const first = timesMs.findIndex(Number.isNaN);
  if (first === -1) return timed;
  const found = `${name} line ${lines[first]}: found '${rows[first][timeIndex]}', expected a time`;
  const count = rows.length - timed.length;
  if (timed.length === 0) throw new DataError(`${found} (no row has one); name another column with --time`);
  warn(`${found} (${count} such ${count === 1 ? 'row' : 'rows'} left out)`);
  return timed;
}

/** Stable; a recording of several streams may hold them one after the other. */
function sortByTime(rows: number[], timesMs: Float64Array): void {
  rows.sort((a, b) => timesMs[a] - timesMs[b] || a - b);
}

interface StreamCheck {
  readonly rows: readonly number[];
  readonly timesMs: Float64Array;
  readonly streamOf: (row: number) => string;
  readonly warn: (line: string) => void;
}

function checkStreams({ name, lines }: Table, { rows, timesMs, streamOf, warn }: StreamCheck): string[] {
  const newest = new Map<string, number>();
  let falls = 0;
  let firstFall = 0;
  for (const row of rows) {
    const stream = streamOf(row);
    if (!isLevel(stream)) throw new DataError(`${name} line ${lines[row]}: ${notALevel('stream', stream)}`);
    if (timesMs[row] < (newest.get(stream) ?? Number.NEGATIVE_INFINITY) && falls++ === 0) firstFall = row;
    newest.set(stream, timesMs[row]);
  }
  if (falls > 0) {
    const count = falls === 1 ? 'once' : `${falls} times`;
    warn(
      `${name} line ${lines[firstFall]}: the time of stream '${streamOf(firstFall)}' goes back (${count}); ` +
        'the rows are played in the order of their times',
    );
  }
  return [...newest.keys()];
}

function checkColumnNames(
  { name }: Table,
  columns: readonly RecordedColumn[],
  numberMessages: boolean,
): void {
  for (const column of columns) {
    if (numberMessages && !isLevel(column.name)) {
      throw new DataError(`${name} line 1: ${notALevel('column', column.name)}`);
    }
    if (!numberMessages && column.name === timeKey) {
      throw new DataError(
        `${name}: column '${timeKey}' holds numbers and would take the key of the time in the messages; ` +
          'rename it, or leave it out with --columns',
      );
    }
  }
}

/** Whether it can be one level of a topic that a subscription finds again. */
function isLevel(text: string): boolean {
  return text !== '' && !/[/+#\0]/.test(text);
}

function notALevel(what: string, text: string): string {
  return `found the ${what} '${text}', expected one level of a topic: not empty, and without / + #`;
}

function warnOfRaggedLines({ name, columns, raggedLines }: Table, warn: (line: string) => void): void {
  if (raggedLines.length === 0) return;
  const expected = `expected ${columns.length} cells as in the header`;
  warn(`${name} line ${raggedLines[0]}: ${expected} (${raggedLines.length} such lines left out)`);
}
