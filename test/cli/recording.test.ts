import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jsonReader, numberReader } from '../../src/cli/record-payload.ts';
import { createRowGatherer, type StreamMessage } from '../../src/cli/record-rows.ts';
import { createRecorder } from '../../src/cli/recorder.ts';
import { createRecording, RecordingError, type Row } from '../../src/cli/recording.ts';
import { parseTable } from '../../src/data/csv.ts';
import { parseTopicPattern } from '../../src/mqtt/topic.ts';
import { createCounters } from '../../src/stream/counters.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cellstream-recording-'));
  path = join(folder, 'out.csv');
});

afterEach(() => rmSync(folder, { recursive: true }));

const values = (record: Record<string, number>) => new Map(Object.entries(record));
const text = () => readFileSync(path, 'utf8');

describe('a recording', () => {
  test('is the header and whole lines after each flush', () => {
    const recording = createRecording(path, { withStreams: true });
    expect(text()).toBe('time,stream\n');
    expect(['temp', 'flow', 'temp'].map(recording.admit)).toEqual(['admitted', 'admitted', 'admitted']);
    recording.write({ stream: 'JFK', timeMs: 1.7e12, values: values({ flow: 1e-7, temp: 0.1 + 0.2 }) });
    recording.write({ stream: 'EWR', timeMs: 1.7e12 + 250, values: values({ temp: Number.NaN }) });
    expect(recording.rows).toBe(2);
    recording.flush();
    const all =
      'time,stream,temp,flow\n2023-11-14T22:13:20Z,JFK,0.30000000000000004,1e-7\n2023-11-14T22:13:20.250Z,EWR,,\n';
    expect(text()).toBe(all);
    expect(recording.bytes).toBe(all.length);
    recording.close();
    expect(text()).toBe(all);
  });

  test('gives earlier rows an empty cell for a column that appears later', () => {
    const recording = createRecording(path, { withStreams: true });
    recording.admit('a');
    recording.write({ stream: 'one\nline "quoted", too', timeMs: 0, values: values({ a: 1 }) });
    recording.flush();
    recording.write({ stream: 'x', timeMs: 0, values: values({ a: -0 }) });
    recording.flush();
    for (const name of ['b,c', 'd']) recording.admit(name);
    recording.write({ stream: 'x', timeMs: 1000, values: values({ d: 4 }) });
    recording.close();
    const { columns, rows } = parseTable(readFileSync(path), path);
    expect(columns).toEqual(['time', 'stream', 'a', 'b,c', 'd']);
    expect(rows).toEqual([
      ['1970-01-01T00:00:00Z', 'one\nline "quoted", too', '1', '', ''],
      ['1970-01-01T00:00:00Z', 'x', '-0', '', ''],
      ['1970-01-01T00:00:01Z', 'x', '', '', '4'],
    ]);
    expect(recording.bytes).toBe(readFileSync(path).length);
    expect(readdirSync(folder)).toEqual(['out.csv']);
  });

  test('widens a file of megabytes, wherever its lines are cut', () => {
    const recording = createRecording(path, { withStreams: true });
    recording.admit('a');
    const count = 40_000;
    for (let i = 0; i < count; i++) {
      recording.write({
        stream: i % 3 === 0 ? `ä,"${i}"\n` : `s${i}`,
        timeMs: i,
        values: values({ a: i / 7 }),
      });
    }
    recording.flush();
    recording.admit('b');
    recording.close();
    expect(recording.bytes).toBeGreaterThan(1.5 * 2 ** 20);
    const { rows, raggedLines } = parseTable(readFileSync(path), path);
    expect(raggedLines).toEqual([]);
    expect(rows).toHaveLength(count);
    expect(rows.every(([, , a, b], i) => Number(a) === i / 7 && b === '')).toBe(true);
  });

  test('any names and numbers read back as they were', () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1 });
    const number = fc.double({ noDefaultInfinity: true, noNaN: true });
    fc.assert(
      fc.property(word, word, number, (stream, column, value) => {
        rmSync(path, { force: true });
        const recording = createRecording(path, { withStreams: true });
        if (recording.admit(column) === 'reserved') {
          recording.close();
          return ['time', 'stream'].includes(column) || [...column].some((character) => character < ' ');
        }
        recording.write({ stream, timeMs: 0, values: new Map([[column, value]]) });
        recording.close();
        const { columns, rows } = parseTable(readFileSync(path), path);
        return columns[2] === column && rows[0][1] === stream && Object.is(Number(rows[0][2]), value);
      }),
    );
  });

  test('has at most 256 columns, and none that would not read back', () => {
    const recording = createRecording(path, { withStreams: true });
    expect(['time', 'stream', '', 'a\nb'].map(recording.admit)).toEqual(Array(4).fill('reserved'));
    for (let i = 0; i < 256; i++) expect(recording.admit(`c${i}`)).toBe('admitted');
    expect(recording.admit('c256')).toBe('full');
    expect(recording.admit('c7')).toBe('admitted');
    recording.close();
  });

  test('has no column of streams where there is one', () => {
    const recording = createRecording(path, { withStreams: false });
    expect(recording.admit('stream')).toBe('admitted');
    recording.write({ stream: 'default', timeMs: 0, values: values({ stream: 3 }) });
    recording.close();
    expect(text()).toBe('time,stream\n1970-01-01T00:00:00Z,3\n');
  });

  test('never takes the place of another file', () => {
    writeFileSync(path, 'mine');
    expect(() => createRecording(path, { withStreams: true })).toThrow(
      `--out ${path} exists already: give another name, or remove it`,
    );
    expect(text()).toBe('mine');
    expect(() => createRecording(folder, { withStreams: true })).toThrow(
      `--out ${folder} is a folder: name a file in it`,
    );
    const nowhere = join(folder, 'no', 'out.csv');
    expect(() => createRecording(nowhere, { withStreams: true })).toThrow(
      `cannot write --out ${nowhere}: there is no folder ${join(folder, 'no')}`,
    );
  });

  test('says in one line that it cannot be written', () => {
    const recording = createRecording(path, { withStreams: true });
    recording.admit('a');
    rmSync(folder, { recursive: true });
    const failure = `cannot write ${path}: ENOENT: no such file or directory`;
    expect(recording.flush).toThrow(RecordingError);
    expect(recording.flush).toThrow(failure);
    mkdirSync(folder);
  });

  test('leaves nothing behind when nothing was written', () => {
    createRecording(path, { withStreams: true }).close();
    expect(existsSync(path)).toBe(false);
  });
});

describe('rows', () => {
  /** What becomes of messages `[time or undefined, arrival, numbers]` of one stream. */
  function gather(...messages: [number | undefined, number, Record<string, number>][]) {
    const counters = createCounters();
    const rows: Row[] = [];
    const gatherer = createRowGatherer({ counters, write: (row) => rows.push(row) });
    for (const [timeMs, arrivedMs, numbers] of messages) {
      const message: StreamMessage = { stream: 's', timeMs, arrivedMs, numbers: values(numbers) };
      gatherer.add(message);
    }
    gatherer.end();
    const written = rows.map((row) => [row.timeMs, Object.fromEntries(row.values)]);
    const { applied, duplicate, late } = counters.ended;
    return { written, counts: [applied, duplicate, late] };
  }

  test('join the messages of one time, whatever came between them of other streams', () => {
    expect(gather([1, 0, { a: 1 }], [1, 0, { b: 2 }], [2, 0, { a: 3 }])).toEqual({
      written: [
        [1, { a: 1, b: 2 }],
        [2, { a: 3 }],
      ],
      counts: [3, 0, 0],
    });
  });

  test('keep the first of two numbers of one name and time', () => {
    expect(gather([1, 0, { a: 1 }], [1, 0, { a: 2, b: 3 }])).toEqual({
      written: [[1, { a: 1, b: 3 }]],
      counts: [2, 1, 0],
    });
  });

  test('take in what is out of order by a step, and leave out what is behind the rows written', () => {
    expect(
      gather([1, 0, { a: 1 }], [3, 0, { a: 3 }], [2, 0, { a: 2 }], [2, 0, { b: 9 }], [1, 0, { a: 1 }]),
    ).toEqual({
      written: [
        [1, { a: 1 }],
        [2, { a: 2 }],
        [3, { a: 3 }],
      ],
      counts: [3, 0, 2],
    });
  });

  test('give two numbers of one name that arrive in one millisecond a time each', () => {
    expect(gather([undefined, 5, { a: 1 }], [undefined, 5, { b: 2 }], [undefined, 5, { a: 3 }])).toEqual({
      written: [
        [5, { a: 1, b: 2 }],
        [6, { a: 3 }],
      ],
      counts: [3, 0, 0],
    });
  });

  test('go on when the clock of this machine is put back', () => {
    expect(gather([undefined, 50, { a: 1 }], [undefined, 20, { a: 2 }], [undefined, 21, { b: 3 }])).toEqual({
      written: [
        [50, { a: 1 }],
        [51, { a: 2, b: 3 }],
      ],
      counts: [3, 0, 0],
    });
  });
});

test('a message that was too large to be held is set aside as that', () => {
  const warnings: string[] = [];
  const recorder = createRecorder({
    ...{ topics: parseTopicPattern('s/{stream}/{feature}'), read: numberReader() },
    recording: createRecording(path, { withStreams: true }),
    warn: (line) => warnings.push(line),
  });
  const nothing = new Uint8Array(0);
  recorder.take({
    ...{ topic: 's/a/temp', payload: nothing, skippedBytes: 20_000_000 },
    ...{ retain: false, dup: false, id: 1 },
  });
  expect(recorder.messages).toBe(1);
  expect(recorder.counters.malformed).toEqual({ 'too large': 1 });
  expect(warnings).toEqual(['set aside on s/a/temp: too large, found ""']);
});

describe('payloads', () => {
  const message = (payload: string | Uint8Array, feature?: string) => ({
    ...{ route: 0, stream: 's', retained: false, arrivedMs: 7, feature },
    payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
  });
  const readJson = (payload: string | Uint8Array, time = ['time']) => jsonReader(time)(message(payload));

  test('in JSON give numbers by their keys, as doubles, and missing values', () => {
    expect(readJson('{"time":1700000000.1234,"a":0.1,"b":null,"__proto__":1}')).toEqual({
      timeMs: 1_700_000_000_123,
      numbers: new Map([
        ['a', 0.1],
        ['b', Number.NaN],
        ['__proto__', 1],
      ]),
      malformed: [],
      ignored: new Map(),
    });
    expect(readJson('{"h":{"t":"2024-01-01"},"a":1}', ['h', 't']).timeMs).toBe(Date.UTC(2024, 0));
    expect(readJson('{"a":1}').timeMs).toBeUndefined();
    expect(readJson('{"time":0,"a":1}').timeMs).toBe(0);
  });

  test('name what is no number', () => {
    const { ignored, numbers } = readJson('{"a":"1","b":true,"c":[1],"d":{"e":1},"f":2}');
    expect(Object.fromEntries(ignored)).toEqual({
      a: 'text',
      b: 'true or false',
      c: 'a list',
      d: 'an object',
    });
    expect([...numbers.keys()]).toEqual(['f']);
  });

  test.each([
    ['{"a":1', 'not JSON'],
    ['[1]', 'not an object'],
    ['null', 'not an object'],
    [Buffer.from([0xff, 0xfe]), 'not UTF-8'],
    ['', 'not JSON'],
    [`{"a":"${'x'.repeat(70_000)}"}`, 'too large'],
    ['{"time":"soon","a":1}', 'bad time'],
    ['{"time":null,"a":1}', 'bad time'],
    ['{"time":1700000000}', 'no feature'],
    ['{"a":1e999}', 'out of range'],
    ['{"a":-1e30}', 'out of range'],
  ])('that cannot be read say why: %#', (payload, reason) => {
    expect(readJson(payload)).toMatchObject({ malformed: [reason], numbers: new Map() });
  });

  test('of a number alone give that number under the name of the topic', () => {
    const read = (payload: string) => numberReader()(message(payload, 'temp'));
    expect(read(' 0.1\n').numbers).toEqual(new Map([['temp', 0.1]]));
    expect(read('null').numbers).toEqual(new Map([['temp', Number.NaN]]));
    expect(read('0x10')).toMatchObject({ malformed: ['not a number'], numbers: new Map() });
    expect(read('1e30').malformed).toEqual(['out of range']);
    expect(numberReader()(message('1')).malformed).toEqual(['no feature']);
  });
});
