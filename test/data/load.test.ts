import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DataError } from '../../src/data/data-error.ts';
import { type LoadOptions, loadDataset } from '../../src/data/load.ts';

const hourMs = 3_600_000;

function load(text: string | Uint8Array, options: Partial<LoadOptions> = {}) {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return loadDataset({ name: 'sensor.csv', bytes }, { features: ['temp'], ...options });
}

const hourly = (...cells: string[]) =>
  `time,temp\n${cells.map((cell, i) => `2013-01-01T0${i}:00:00Z,${cell}`).join('\n')}\n`;

describe('the weather of three airports', () => {
  const path = 'models/nyc-weather/weather.csv';
  const dataset = loadDataset(path, { stream: 'origin', features: ['temp', 'pressure'], time: 'time_hour' });

  test('becomes three streams on one hourly grid', () => {
    expect(dataset.periodMs).toBe(hourMs);
    const firstSlot = Date.UTC(2013, 0, 1, 6) / hourMs;
    expect(dataset.series.map(({ stream, firstSlot, length }) => [stream, firstSlot, length])).toEqual([
      ['EWR', firstSlot, 8730],
      ['JFK', firstSlot, 8730],
      ['LGA', firstSlot, 8730],
    ]);
  });

  test('keeps missing hours and missing values as gaps', () => {
    const rows = dataset.series.map(({ present }) => present.reduce((sum, flag) => sum + flag, 0));
    expect(rows).toEqual([8703, 8706, 8706]);
    const [ewr] = dataset.series;
    // 2013-01-01T17:00Z is not in the file
    expect(ewr.present[11]).toBe(0);
    expect(ewr.values[11 * 2]).toBeNaN();
    expect(ewr.values[0]).toBe(Math.fround(39.02));
  });

  test('accounts for every cell', () => {
    expect(dataset.counts).toEqual({
      rows: 26115,
      applied: 2 * 26115 - 2730,
      merged: 0,
      duplicate: 0,
      missing: 2730,
      late: 0,
      malformed: 0,
    });
  });

  test('is known by the hash of its bytes', () => {
    expect(dataset.sha256).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'));
  });

  test('finds the UTC hours among the year, the month and the local hour', () => {
    const found = loadDataset(path, { stream: 'origin', features: ['temp', 'pressure'] });
    expect(found).toEqual(dataset);
  });
});

describe('times', () => {
  const expected = [20, Number.NaN, 21];

  test.each([
    ['ISO with Z', '2013-01-01T06:00:00Z', '2013-01-01T08:00:00Z'],
    ['ISO with an offset', '2013-01-01T07:00:00+01:00', '2013-01-01T01:00:00-0700'],
    ['no zone, which is UTC', '2013-01-01 06:00', '2013-01-01 08:00:00.000000'],
    ['epoch seconds', '1357020000', '1357027200.0'],
    ['epoch milliseconds', '1357020000000', '1357027200000'],
  ])('are read as %s', (_, first, second) => {
    const [series] = load(`time,temp\n${first},20\n${second},21\n`, { periodMs: hourMs }).series;
    expect(series.firstSlot).toBe(Date.UTC(2013, 0, 1, 6) / hourMs);
    expect([...series.values]).toEqual(expected);
  });

  test.each(['Timestamp', 'date', 'when'])('are found in a column called %s', (name) => {
    const { periodMs } = load(`id,${name},temp\n1,2013-01-01,20\n2,2013-01-02,21\n`);
    expect(periodMs).toBe(24 * hourMs);
  });

  test('set the period by the median of their spacings', () => {
    const minutes = [0, 5, 10, 15, 60, 65, 70];
    const lines = minutes.map((minute) => `${1357020000 + minute * 60},20`);
    expect(load(`ts,temp\n${lines.join('\n')}`).periodMs).toBe(5 * 60_000);
  });

  test('may lie up to twice the period apart', () => {
    const text = hourly('1', '2', '3', '4');
    expect(load(text, { periodMs: hourMs / 2 }).series[0].length).toBe(7);
    expect(() => load(text, { periodMs: hourMs / 2 - 1 })).toThrow('expected a period of about 1h');
  });

  test('that repeat are duplicates, and the first wins', () => {
    const { series, counts } = load(
      'time,temp\n2013-01-01T00:00Z,1\n2013-01-01T00:00Z,2\n2013-01-01T01:00Z,3\n',
    );
    expect([...series[0].values]).toEqual([1, 3]);
    expect(counts).toMatchObject({ rows: 3, applied: 2, duplicate: 1 });
  });

  test('closer than the period give their mean', () => {
    const { series, counts } = load(hourly('1', '3', '5', '7'), { periodMs: 2 * hourMs });
    expect([...series[0].values]).toEqual([2, 6]);
    expect(counts).toMatchObject({ applied: 2, merged: 2 });
  });
});

describe('the forms of a CSV', () => {
  const plain = hourly('1', '2.5', '-3e1');

  test.each([
    ['a byte order mark', `\uFEFF${plain}`],
    ['CRLF', plain.replaceAll('\n', '\r\n')],
    ['semicolons', plain.replaceAll(',', ';')],
    ['tabs', plain.replaceAll(',', '\t')],
    ['quotes', plain.replaceAll(/[^,\n]+/g, '"$&"')],
    ['blanks around cells', plain.replaceAll(',', ' , ')],
    ['empty lines and no newline at the end', plain.replaceAll('\n', '\n\n').trim()],
  ])('with %s are read alike', (_, text) => {
    expect([...load(text).series[0].values]).toEqual([1, 2.5, -30]);
  });

  test('know many words for missing', () => {
    const words = ['', 'NA', 'NaN', 'nan', 'null', 'None', 'unknown', 'unavailable'];
    const { series, counts } = load(hourly('1', ...words));
    expect([...series[0].values].slice(1)).toEqual(words.map(() => Number.NaN));
    expect(series[0].present).toEqual(new Uint8Array(9).fill(1));
    expect(counts).toMatchObject({ applied: 1, missing: 8, malformed: 0 });
  });

  test('may hold a little other text, which is counted and named by its first place', () => {
    const lines = Array.from(
      { length: 40 },
      (_, i) => `${1357020000 + 3600 * i},${i === 7 || i === 9 ? 'ERR' : i}`,
    );
    const warnings: string[] = [];
    const { counts } = load(`time,temp\n${lines.join('\n')}\n`, { warn: (line) => warnings.push(line) });
    expect(counts).toMatchObject({ applied: 38, missing: 0, malformed: 2 });
    expect(warnings).toEqual([
      "sensor.csv line 9, column 'temp': found 'ERR', expected a number (2 such cells count as missing)",
    ]);
  });

  test('may end in a line that was cut off', () => {
    const lines = Array.from({ length: 20 }, (_, i) => `${1357020000 + 3600 * i},${i}`);
    const { counts, series } = load(`time,temp\n${lines.join('\n')}\n13570`);
    expect(counts).toMatchObject({ rows: 21, applied: 20, malformed: 1 });
    expect(series[0].length).toBe(20);
  });
});

describe('what cannot be used is refused with one line', () => {
  function messageOf(run: () => unknown): string {
    try {
      run();
    } catch (error) {
      expect(error).toBeInstanceOf(DataError);
      expect((error as Error).message).not.toContain('\n');
      return (error as Error).message;
    }
    throw new Error('expected a DataError');
  }

  test('a missing file, with the name of one that is near', () => {
    const path = 'models/nyc-weather/wether.csv';
    expect(messageOf(() => loadDataset(path, { features: ['temp'] }))).toBe(
      `no file ${path}, did you mean 'weather.csv'?`,
    );
    expect(messageOf(() => loadDataset('nowhere/weather.csv', { features: ['temp'] }))).toBe(
      'no file nowhere/weather.csv (there is no directory nowhere)',
    );
  });

  test('a directory', () => {
    expect(messageOf(() => loadDataset('models', { features: ['temp'] }))).toBe(
      'models is a directory, expected a CSV file',
    );
  });

  const day = (minutes: number) => new Date(Date.UTC(2013, 0, 1) + minutes * 60_000).toISOString();

  test.each<[string, string | Uint8Array, Partial<LoadOptions>, string]>([
    ['an empty file', '', {}, 'sensor.csv is empty, expected a header line'],
    ['blank lines', '\n\n', {}, 'sensor.csv is empty'],
    ['a header alone', 'time,temp\n', {}, 'sensor.csv has a header (time, temp) and no rows'],
    ['a single row', hourly('1'), {}, 'sensor.csv has 1 row, expected at least 2'],
    ['bytes that are no text', Uint8Array.of(0x0a, 0xff, 0xfe), {}, 'bytes that are not UTF-8 text'],
    ['an open quote', 'time,temp\n2013-01-01,"1\n', {}, 'not a CSV: Quote Not Closed'],
    [
      'a wrong column',
      hourly('1', '2'),
      { features: ['tmep'] },
      "no column 'tmep', did you mean 'temp'? (its columns: time, temp)",
    ],
    ['a wrong stream column', hourly('1', '2'), { stream: 'sensor' }, "no column 'sensor' (its columns"],
    ['a wrong time column', hourly('1', '2'), { time: 'tiem' }, "no column 'tiem', did you mean 'time'?"],
    [
      'two columns of one name',
      'time,temp,temp\n2013-01-01,1,2\n2013-01-02,1,2',
      {},
      "line 1: two columns are called 'temp'",
    ],
    ['no time', 'a,temp\nx,1\ny,2\n', {}, 'line 2: found no column of times'],
    [
      'a broken time',
      hourly('1', '2').replace('T01', 'T25'),
      {},
      "line 3, column 'time': found '2013-01-01T25:00:00Z', expected a time",
    ],
    [
      'a day that does not exist',
      'time,temp\n2013-02-28,1\n2013-02-29,1',
      {},
      "found '2013-02-29', expected a time",
    ],
    [
      'a time that goes back',
      `time,temp\n${day(180)},1\n\n${day(60)},2`,
      {},
      `line 4: time goes back to ${day(60)} after ${day(180)} on line 2; sort the rows by time, or name the column that tells the sensors apart with --stream (in a recipe stream:)`,
    ],
    ['clocks put back', `time,temp\n${day(60)},1\n${day(5)},2`, {}, 'in UTC if clocks were put back'],
    [
      'a stream that goes back',
      `time,id,temp\n${day(60)},a,1\n${day(0)},b,1\n${day(0)},a,2`,
      { stream: 'id' },
      "on line 2 of stream 'a'; sort the rows",
    ],
    [
      'a row without a stream',
      `time,id,temp\n${day(60)},a,1\n${day(0)},,1`,
      { stream: 'id' },
      "line 3: 'id' is empty, expected a stream",
    ],
    ['one time only', `time,temp\n${day(1)},1\n${day(1)},1`, {}, 'the same time, expected times that rise'],
    [
      'two sensors read as one',
      `time,temp\n${Array.from({ length: 20 }, (_, i) => `${day(i)},1\n${day(i)},2`).join('\n')}`,
      {},
      '20 of 40 rows repeat the time of another row; name the column',
    ],
    [
      'a period far below the spacing of the rows',
      hourly('1', '2', '3', '4'),
      { periodMs: 420_000 },
      'found a row each 1h, a period of 7m would leave most slots empty; expected a period of about 1h',
    ],
    [
      'a time that is far too late',
      'time,temp\n1,1\n2,2\n3,3\n60000000,4',
      {},
      'a row each 1s makes 60,000,000 cells, expected at most 50,000,000; lengthen the period or correct the times (the widest gap, 694.4 days, ends at line 5)',
    ],
    [
      'a feature of words',
      hourly('1', 'warm', 'cold'),
      {},
      "line 3, column 'temp': found 'warm', expected a number (2 of 3 cells are none); leave 'temp' out",
    ],
    [
      'decimal commas',
      'time;temp\n2013-01-01;1,5\n2013-01-02;2,5',
      {},
      "found '1,5', expected a number (2 of 2 cells are none); write decimals with a point",
    ],
    ['numbers beyond float32', hourly('1', '1e39'), {}, "found '1e39', expected a number"],
    [
      'ragged lines',
      `${hourly('1', '2')}2013-01-01T05:00:00Z,1,2\n`,
      {},
      'line 4: 3 cells, expected 2 as in the header',
    ],
    ['no feature', hourly('1', '2'), { features: [] }, 'no feature is named'],
    [
      'the time as a feature',
      hourly('1', '2'),
      { features: ['time'] },
      "column 'time' is the time or the stream",
    ],
    [
      'a feature named twice',
      hourly('1', '2'),
      { features: ['temp', 'temp'] },
      "feature 'temp' is named twice",
    ],
  ])('%s', (_, text, options, message) => {
    expect(messageOf(() => load(text, options))).toContain(message);
  });
});

test('a clock that is put back costs the rows that it repeats, and says so', () => {
  const path = 'boiler.csv';
  const rows = Array.from({ length: 300 }, (_, i) => `${new Date(1.7e12 + i * 300_000).toISOString()},${i}`);
  // an hour that comes twice, as in summer's last night
  rows.splice(
    200,
    0,
    `${new Date(1.7e12 + 190 * 300_000).toISOString()},-1`,
    `${new Date(1.7e12 + 191 * 300_000).toISOString()},-2`,
  );
  const bytes = new TextEncoder().encode(`timestamp,value\n${rows.join('\n')}\n`);
  const said: string[] = [];
  const { counts, series } = loadDataset(
    { name: path, bytes },
    { features: ['value'], warn: (line) => said.push(line) },
  );
  expect(counts).toMatchObject({ rows: 302, applied: 300, late: 2, duplicate: 0 });
  expect([...series[0].values]).toEqual(Array.from({ length: 300 }, (_, i) => i));
  expect(said).toEqual([
    `${path} line 202: 2 rows come after a later one, as when a clock is put back: left out`,
  ]);
});
