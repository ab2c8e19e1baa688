import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseTable } from '../../src/data/csv.ts';
import { type EmbeddedBroker, startBroker } from '../../src/mqtt/broker.ts';
import type { Link } from '../../src/mqtt/link.ts';
import { layCable } from '../mqtt/cable.ts';
import { openLink, send } from '../mqtt/links.ts';
import { until } from '../mqtt/until.ts';
import { runHere } from './small-data.ts';
import { startProgram } from './started-program.ts';
import { startRecord } from './started-record.ts';

let broker: EmbeddedBroker;
let folder: string;
let out: string;
let sender: Link;

beforeEach(async () => {
  broker = await startBroker();
  folder = mkdtempSync(join(tmpdir(), 'cellstream-record-'));
  out = join(folder, 'out.csv');
});

afterEach(async () => {
  rmSync(folder, { recursive: true });
  await broker.close();
});

const text = () => readFileSync(out, 'utf8');
const at = (second: number) => `2024-01-01T00:00:${String(second).padStart(2, '0')}Z`;

/** Records what `messages`, `[topic, payload]`, become. */
async function recordOf(
  topic: string,
  messages: readonly (readonly [topic: string, payload: string | object])[],
  options: { readonly time?: string; readonly retained?: number } = {},
) {
  const { link } = await openLink({ url: broker.url });
  const { retained = 0, ...rest } = options;
  const body = (payload: string | object) =>
    typeof payload === 'string' ? payload : JSON.stringify(payload);
  for (const [name, payload] of messages.slice(0, retained))
    await send(link, name, body(payload), { retain: true });
  const live = messages.slice(retained);
  const { warnings, report } = await startRecord({
    broker: broker.url,
    topic,
    out,
    messages: live.length,
    ...rest,
  });
  for (const [name, payload] of live) await send(link, name, body(payload));
  const { summary, text: shown } = await report;
  return { summary, shown, warnings };
}

describe('record', () => {
  test('writes a row a stream and time, with a column for each number in the order of appearance', async () => {
    const { summary, shown, warnings } = await recordOf('s/{stream}/x', [
      ['s/north/x', { time: at(0), temp: 60.5, flow: null }],
      ['s/sou,th/x', { time: at(0), temp: 0.1 + 0.2 }],
      ['s/north/x', { time: 1704067201.5, flow: 3, temp: -1e-7 }],
    ]);
    expect(text()).toBe(
      'time,stream,temp,flow\n' +
        '2024-01-01T00:00:00Z,north,60.5,\n' +
        '2024-01-01T00:00:01.500Z,north,-1e-7,3\n' +
        '2024-01-01T00:00:00Z,"sou,th",0.30000000000000004,\n',
    );
    expect(warnings).toEqual([]);
    expect(summary).toEqual({
      ...{ messages: 3, rows: 3, bytes: text().length, streams: 2, columns: ['temp', 'flow'], numbers: 5 },
      ...{
        duplicates: 0,
        late: 0,
        retained: 0,
        malformed: 0,
        overflow: 0,
        malformedReasons: {},
        ignored: {},
        out,
      },
    });
    expect(shown).toContain(`cellstream train ${out} --target COLUMN --stream stream`);
  });

  test('joins two numbers of one time that come on two topics', async () => {
    const json = (second: number, name: string) => ({ time: at(second), [name]: second });
    const { summary } = await recordOf('s/{stream}/x', [
      ['s/a/x', json(1, 'temp')],
      ['s/b/x', json(1, 'temp')],
      ['s/a/x', json(1, 'flow')],
      ['s/a/x', json(2, 'flow')],
      ['s/a/x', json(2, 'temp')],
    ]);
    expect(summary).toMatchObject({ messages: 5, rows: 3, numbers: 5 });
    expect(text().split('\n').slice(1, -1).sort()).toEqual([
      `${at(1)},a,1,1`,
      `${at(1)},b,1,`,
      `${at(2)},a,2,2`,
    ]);
  });

  test('counts duplicates, late ones, retained ones and what it cannot read, each with one warning a reason', async () => {
    const { summary, warnings } = await recordOf(
      's/{stream}/x',
      [
        ['s/a/x', { time: at(9), temp: 99 }],
        ['s/a/x', { time: at(1), temp: 1 }],
        ['s/a/x', { time: at(1), temp: 2 }],
        ['s/a/x', { time: at(3), temp: 3 }],
        ['s/a/x', { time: at(1), temp: 4 }],
        ['s/a/x', '{"temp"'],
        ['s/a/x', '{"temp"!'],
        ['s/a/x', { time: '2999-01-01', temp: 5 }],
        ['s//x', { time: at(5), temp: 6 }],
        ['s/a/x', { time: at(4), temp: 'warm', state: 'on' }],
        ['s/a/x', { time: at(4), temp: 7, state: 'off', stream: 3 }],
      ],
      { retained: 1 },
    );
    expect(text()).toBe(`time,stream,temp\n${at(1)},a,1\n${at(3)},a,3\n${at(4)},a,7\n`);
    expect(summary).toMatchObject({
      ...{ messages: 10, rows: 3, numbers: 3, duplicates: 1, late: 1, retained: 1, malformed: 5 },
      malformedReasons: { 'not JSON': 2, 'far future': 1, 'no feature': 2 },
      ignored: { temp: 1, state: 2, stream: 1 },
    });
    expect(warnings).toEqual([
      'set aside on s/a/x: not JSON, found "{\\"temp\\""',
      'set aside on s/a/x: far future, found "{\\"time\\":\\"2999-01-01\\",\\"temp\\":5}"',
      `set aside on s//x: no feature, found ${JSON.stringify(JSON.stringify({ time: at(5), temp: 6 }))}`,
      "'temp' holds text on s/a/x: left out, only numbers are recorded",
      "'state' holds text on s/a/x: left out, only numbers are recorded",
      "'stream' holds a number under a name that no column can have on s/a/x: left out, only numbers are recorded",
    ]);
  });

  test('takes the time from the key that is named, or the moment of arrival', async () => {
    const before = Date.now();
    await recordOf(
      's/x',
      [
        ['s/x', { ts: at(1), temp: 1 }],
        ['s/x', { temp: 2 }],
      ],
      { time: 'ts' },
    );
    const { columns, rows } = parseTable(readFileSync(out), out);
    expect(columns).toEqual(['time', 'temp']);
    expect(rows.map(([, temp]) => temp)).toEqual(['1', '2']);
    expect(rows[0][0]).toBe(at(1));
    const arrivedMs = Date.parse(rows[1][0]);
    expect(arrivedMs).toBeGreaterThanOrEqual(before);
    expect(arrivedMs).toBeLessThanOrEqual(Date.now());
  });

  test('records plain numbers under the name that their topic gives', async () => {
    const { summary } = await recordOf('h/{stream}/{feature}', [
      ['h/attic/temp', '20.5'],
      ['h/attic/humid', '51'],
      ['h/attic/temp', 'null'],
      ['h/attic/temp', 'off'],
      ['h/attic/temp', '20.6'],
    ]);
    expect(summary).toMatchObject({ messages: 5, numbers: 4, malformed: 1, columns: ['temp', 'humid'] });
    const { rows } = parseTable(readFileSync(out), out);
    expect(rows.map((row) => row[2]).filter((cell) => cell !== '')).toEqual(['20.5', '20.6']);
    expect(rows.map((row) => row[3]).filter((cell) => cell !== '')).toEqual(['51']);
  });

  test('leaves out what comes after 256 columns, and says so once', async () => {
    const many = Object.fromEntries(Array.from({ length: 256 }, (_, i) => [`c${i}`, i]));
    const { summary, warnings } = await recordOf('x', [
      ['x', { time: at(1), ...many }],
      ['x', { time: at(2), c0: 1, more: 2, evenMore: 3 }],
    ]);
    expect(summary).toMatchObject({ rows: 2, numbers: 257, overflow: 2 });
    expect(warnings).toEqual(["'more' on x: left out, there are 256 columns already"]);
  });

  test('ends after its seconds, and leaves no file where nothing came', async () => {
    const { code, stdout, stderr } = await runHere(
      ...['record', '--broker', broker.url, '--topic', 'x', '--out', out, '--seconds', '0.1', '--json'],
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ messages: 0, rows: 0, out });
    expect(stderr).toBe(`warning: nothing was recorded, so there is no file ${out}\n`);
    expect(existsSync(out)).toBe(false);
  });

  test('goes on after the connection was lost', async () => {
    const cable = await layCable(broker.port);
    const { link } = await openLink({ url: broker.url });
    const { warnings, report } = await startRecord({ broker: cable.url, topic: 'x', out, messages: 3 });
    await send(link, 'x', '{"temp":1}');
    await send(link, 'x', 'heard');
    await until(() => warnings.length === 1);
    cable.cut();
    await until(() => warnings.length === 3);
    await send(link, 'x', '{"temp":2}');
    expect((await report).summary).toMatchObject({ messages: 3, rows: 2 });
    expect(warnings).toEqual([
      'set aside on x: not JSON, found "heard"',
      // a cut wire is closed or reset, as its last bytes have it
      expect.stringMatching(
        /^no connection to the broker at .*: (the broker closed the connection|.*ECONNRESET)$/,
      ),
      expect.stringMatching(/^connected to the broker at .*, after \d+ ms$/),
    ]);
  });

  test.each([
    ['a topic with a wildcard', 'x/#', [], 'found the level "#", expected plain text'],
    ['two places for streams', '{stream}/{stream}', [], 'has 2 places {stream}, expected one'],
    ['a path that is none', 'x', ['--time', '$.a..b'], '--time $.a..b is no key and no path'],
    [
      'a password without a name',
      'x',
      ['--broker', 'mqtt://:secret@localhost'],
      'found a password without a user name',
    ],
  ])('refuses %s in one line, and makes no file', async (_, topic, options, message) => {
    const { code, stdout, stderr } = await runHere(
      ...['record', '--broker', broker.url, '--topic', topic, '--out', out, ...options],
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^cellstream: .*\n$/);
    expect(stderr).not.toContain('secret');
    expect(stderr).toContain(message);
    expect(existsSync(out)).toBe(false);
  });

  test('refuses a file that exists, and leaves it as it is', async () => {
    writeFileSync(out, 'mine');
    const { code, stderr } = await runHere('record', '--broker', broker.url, '--topic', 'x', '--out', out);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `cellstream: --out ${out} exists already: give another name, or remove it\n`,
    });
    expect(text()).toBe('mine');
  });

  test('gives up in one line where there is no broker, and leaves no file', async () => {
    const { code, stderr } = await runHere(
      'record',
      '--broker',
      'mqtt://127.0.0.1:1',
      '--topic',
      'x',
      '--out',
      out,
    );
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'cellstream: no connection to the broker at 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1\n',
    });
    expect(existsSync(out)).toBe(false);
  });
});

describe('the program', () => {
  const start = () => startProgram('record', '--broker', broker.url, '--topic', 'x', '--out', out, '--json');

  test.each(['SIGINT', 'SIGTERM'] as const)('ends a recording at %s with its report', async (signal) => {
    sender = (await openLink({ url: broker.url })).link;
    const program = start();
    await until(() => program.stderr.includes('recording x'), 30_000);
    await send(sender, 'x', JSON.stringify({ time: at(1), temp: 1 }));
    await send(sender, 'x', 'heard');
    await until(() => program.stderr.includes('found "heard"'), 30_000);
    program.signal(signal);
    expect(await program.ended).toBe(0);
    expect(JSON.parse(program.stdout)).toMatchObject({ messages: 2, rows: 1, out });
    expect(text()).toBe(`time,temp\n${at(1)},1\n`);
  });

  test('leaves a file that train reads when it is killed, but for a last line that was being written', async () => {
    sender = (await openLink({ url: broker.url })).link;
    const program = start();
    await until(() => program.stderr.includes('recording x'), 30_000);
    let second = 0;
    const lines = () => text().split('\n').length - 2;
    while (lines() < 100) {
      await send(
        sender,
        'x',
        JSON.stringify({ time: 1.7e9 + second, temp: second++, [`c${second >> 6}`]: second }),
      );
    }
    program.signal('SIGKILL');
    await program.ended;
    const { rows, columns, raggedLines } = parseTable(readFileSync(out), out);
    expect(raggedLines.filter((line) => line < rows.length + 2)).toEqual([]);
    expect(columns.length).toBeGreaterThan(3);
    expect(rows.map((row) => Number(row[1]))).toEqual(rows.map((_, i) => i));
  });
});
