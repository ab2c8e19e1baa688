import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseTable } from '../../src/data/csv.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { loadDataset } from '../../src/data/load.ts';
import { type EmbeddedBroker, startBroker } from '../../src/mqtt/broker.ts';
import { runJson } from './small-data.ts';
import { startRecord } from './started-record.ts';

const weather = fileURLToPath(new URL('../../models/nyc-weather/weather.csv', import.meta.url));
const stations = ['EWR', 'JFK', 'LGA'];
const rowsOfStation = 300;
const features = ['temp', 'dewp', 'pressure', 'precip', 'wind_gust'];

let broker: EmbeddedBroker;
let folder: string;
let original: string;
let out: string;

beforeEach(async () => {
  broker = await startBroker();
  folder = mkdtempSync(join(tmpdir(), 'cellstream-loop-'));
  original = join(folder, 'original.csv');
  out = join(folder, 'recorded.csv');
  writeFileSync(original, sliceOfWeather());
});

afterEach(async () => {
  rmSync(folder, { recursive: true });
  await broker.close();
});

/** Rows of each station, some hours and some cells of them missing, and one row twice. */
function sliceOfWeather(): string {
  const [header, ...lines] = readFileSync(weather, 'utf8').trimEnd().split('\n');
  const temp = header.split(',').indexOf('temp');
  const slices = stations.flatMap((station) => {
    const own = lines.filter((line) => line.startsWith(station)).slice(0, rowsOfStation);
    const holed = own.map((line, i) => {
      const cells = line.split(',');
      if (i % 13 === 5) cells[temp] = ['', 'NA'][i % 2];
      return cells.join(',');
    });
    return [...holed.filter((_, i) => i % 17 !== 4), holed[rowsOfStation - 1]];
  });
  return [header, ...slices, ''].join('\n');
}

/** The bits of every value and gap, by stream. */
function bitsOf({ periodMs, series }: Dataset) {
  const byStream = series.map(({ stream, firstSlot, values, present }) => [
    stream,
    { firstSlot, present: [...present], bits: [...new Uint32Array(values.slice().buffer)] },
  ]);
  return { periodMs, streams: Object.fromEntries(byStream) };
}

/** The cells of a column, a list a stream, in the order of the file. */
function cellsOf(path: string, streamColumn: string, column: string) {
  const { columns, rows } = parseTable(readFileSync(path), path);
  const [stream, cell] = [columns.indexOf(streamColumn), columns.indexOf(column)];
  const filled = rows.filter((row) => !['', 'NA'].includes(row[cell]));
  return stations.map((station) =>
    filled.filter((row) => row[stream] === station).map((row) => Number(row[cell])),
  );
}

const replay = (topic: string, ...options: string[]) =>
  runJson(
    ...['replay', original, '--broker', broker.url, '--topic', topic, '--stream', 'origin'],
    ...['--speed', 'max', ...options],
  );

test('what replay publishes and record writes is the same dataset, bit by bit and gap by gap', async () => {
  const rows = parseTable(readFileSync(original), original).rows.length;
  const topic = 'sensors/{stream}/weather';
  const { report } = await startRecord({ broker: broker.url, topic, out, messages: rows });
  const played = await replay(topic);
  const { summary } = await report;
  expect(played).toMatchObject({ messages: rows, streams: 3, again: 0 });
  // every row holds the same columns, and one row of each station comes twice
  expect(summary).toMatchObject({ messages: rows, rows: rows - 3, streams: 3, late: 0, malformed: 0 });
  const columns = summary.columns as string[];
  expect(summary.duplicates).toBe(3 * columns.length);

  const before = loadDataset(original, { features, stream: 'origin' });
  const after = loadDataset(out, { features, stream: 'stream' });
  expect(bitsOf(after)).toEqual(bitsOf(before));
  // as written too, not only as float32
  expect(cellsOf(out, 'stream', 'wind_speed').flat()).toContain(10.357019999999999);
});

test('number by number, on a topic each, the same values arrive in the same order', async () => {
  const columns = ['temp', 'wind_speed', 'precip'];
  const numbers = columns.map((column) => cellsOf(original, 'origin', column));
  const topic = 'home/{stream}/{feature}';
  const { report } = await startRecord({ broker: broker.url, topic, out, messages: numbers.flat(2).length });
  const played = await replay(topic, '--columns', columns.join(','));
  const { summary } = await report;
  expect(played.numbers).toBe(numbers.flat(2).length);
  expect(summary).toMatchObject({ numbers: played.numbers, duplicates: 0, late: 0, malformed: 0 });
  expect(columns.map((column) => cellsOf(out, 'stream', column))).toEqual(numbers);
  const { counts, series } = loadDataset(out, { features: ['temp'], stream: 'stream', periodMs: 1000 });
  expect(series).toHaveLength(3);
  expect(counts.duplicate).toBe(0);
});
