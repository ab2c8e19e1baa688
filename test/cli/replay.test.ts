import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type EmbeddedBroker, startBroker } from '../../src/mqtt/broker.ts';
import { openLink, textOf } from '../mqtt/links.ts';
import { until } from '../mqtt/until.ts';
import { runHere } from './small-data.ts';
import { startProgram } from './started-program.ts';

let broker: EmbeddedBroker;
let folder: string;

beforeEach(async () => {
  broker = await startBroker();
  folder = mkdtempSync(join(tmpdir(), 'cellstream-replay-'));
});

afterEach(async () => {
  rmSync(folder, { recursive: true });
  await broker.close();
});

function write(text: string): string {
  const path = join(folder, 'recording.csv');
  writeFileSync(path, text);
  return path;
}

async function hear() {
  const { deliveries } = await openLink({ url: broker.url, filters: [{ topic: '#', qos: 1 }] });
  return () => deliveries.map((delivery) => `${delivery.topic} ${textOf(delivery)}`);
}

const replay = (csv: string, topic: string, ...options: string[]) =>
  runHere('replay', write(csv), '--broker', broker.url, '--topic', topic, '--speed', 'max', ...options);

const boilers = `time,boiler,temp,flow,note
2024-01-01T00:00:00Z,north,60.50,3,fine
2024-01-01T00:00:00Z,south,,1e-3,
2024-01-01T00:00:00.25+00:00,north,-0.0,NA,fine
`;

describe('replay', () => {
  test('publishes a JSON message a row: numbers as they are, missing as null, no text', async () => {
    const heard = await hear();
    const { code, stdout, stderr } = await replay(boilers, 's/{stream}/x', '--stream', 'boiler', '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await until(() => heard().length === 3);
    expect(heard()).toEqual([
      's/north/x {"time":"2024-01-01T00:00:00Z","temp":60.5,"flow":3}',
      's/south/x {"time":"2024-01-01T00:00:00Z","temp":null,"flow":0.001}',
      's/north/x {"time":"2024-01-01T00:00:00.250Z","temp":-0,"flow":null}',
    ]);
    const summary = JSON.parse(stdout);
    expect(summary).toMatchObject({ messages: 3, numbers: 4, streams: 2, again: 0, unfinished: 0 });
    expect(summary.messagesPerSecond).toBeCloseTo(3 / summary.seconds);
  });

  test('publishes a plain number for each filled cell where the topic has a place for its name', async () => {
    const heard = await hear();
    const { code, stdout } = await replay(boilers, 'h/{stream}/{feature}', '--stream', 'boiler');
    expect(code).toBe(0);
    await until(() => heard().length === 4);
    expect(heard()).toEqual(['h/north/temp 60.5', 'h/north/flow 3', 'h/south/flow 0.001', 'h/north/temp -0']);
    expect(stdout).toMatch(
      /^4 messages with 4 numbers of 2 streams to h\/\{stream\}\/\{feature\} at 127\.0\.0\.1:\d+ in /,
    );
  });

  test('needs no place for a stream when there is only one', async () => {
    const heard = await hear();
    const csv = 'ts,7,b\n1700000000,1,2\n1700000000.5,3,4\n';
    expect((await replay(csv, 'attic', '--columns', 'b,7', '--qos', '0')).code).toBe(0);
    await until(() => heard().length === 2);
    expect(heard()).toEqual([
      'attic {"time":"2023-11-14T22:13:20Z","b":2,"7":1}',
      'attic {"time":"2023-11-14T22:13:20.500Z","b":4,"7":3}',
    ]);
  });

  test('plays streams that lie one after the other together, in the order of time', async () => {
    const heard = await hear();
    const csv = 'time,s,x\n2024-01-01,a,1\n2024-01-02,a,2\n2024-01-01,b,3\n2024-01-02,b,4\n';
    expect(await replay(csv, '{stream}', '--stream', 's')).toMatchObject({ code: 0, stderr: '' });
    await until(() => heard().length === 4);
    expect(heard().map((line) => line.replace(/ .*:/, ' '))).toEqual(['a 1}', 'b 3}', 'a 2}', 'b 4}']);
  });

  test('says in one line each what it sets aside, and plays the rest', async () => {
    const heard = await hear();
    const rows = Array.from({ length: 20 }, (_, i) => `2024-01-01T00:${String(i + 10)}:00Z,${i},1`);
    const csv = ['time,x,y', ...rows, 'soon,1,1', '2024-01-01T00:05:00Z,2,bad', '2024-01-01T01:00:00Z'].join(
      '\n',
    );
    const { code, stdout, stderr } = await replay(csv, 'x', '--json', '--columns', 'x,y');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ messages: 21, numbers: 41 });
    const path = join(folder, 'recording.csv');
    expect(stderr.trimEnd().split('\n')).toEqual([
      `warning: ${path} line 23, column 'y': found 'bad', expected a number (1 such cells left out)`,
      `warning: ${path} line 24: expected 3 cells as in the header (1 such lines left out)`,
      `warning: ${path} line 22: found 'soon', expected a time (1 such row left out)`,
      `warning: ${path} line 23: the time of stream 'default' goes back (once); ` +
        'the rows are played in the order of their times',
    ]);
    await until(() => heard().length === 21);
    expect(heard()[0]).toBe('x {"time":"2024-01-01T00:05:00Z","x":2}');
  });

  test('leaves out a column that holds text too, unless it is named', async () => {
    const rows = Array.from({ length: 20 }, (_, i) => `2024-01-01T00:${String(i + 10)}:00Z,${i},1`);
    const { stderr, stdout } = await replay(
      ['time,x,y', ...rows, '2024-01-01T01:00:00Z,1,off'].join('\n'),
      'x',
      '--json',
    );
    expect(stderr).toBe(
      `warning: ${join(folder, 'recording.csv')} line 22: column 'y' is left out, it holds 'off'; name it with --columns\n`,
    );
    expect(JSON.parse(stdout).numbers).toBe(21);
  });

  const small = 'time,boiler,temp\n2024-01-01,north,1\n2024-01-02,north,2\n';
  test.each<[string, string, string, string[], string]>([
    [
      'a column that is not there',
      small,
      's/{stream}',
      ['--stream', 'boilr'],
      "has no column 'boilr', did you mean 'boiler'?",
    ],
    [
      'a column to publish that is not there',
      small,
      'x',
      ['--columns', 'tmp'],
      "has no column 'tmp', did you mean 'temp'?",
    ],
    [
      'the time as a column to publish',
      small,
      'x',
      ['--columns', 'time'],
      "column 'time' is the time or the stream",
    ],
    ['a column named twice', small, 'x', ['--columns', 'temp,temp'], "column 'temp' is named twice"],
    [
      'a place without a stream',
      small,
      's/{stream}',
      [],
      'name the column that tells the sensors apart with --stream',
    ],
    ['a stream without a place', small, 's/x', ['--stream', 'boiler'], 'put {stream} in place of a level'],
    ['a topic with a wildcard', small, 's/+', [], 'found the level "+", expected plain text'],
    [
      'a broker that is no URL',
      small,
      'x',
      ['--broker', 'localhost'],
      'found the broker URL "localhost", expected SCHEME://HOST:PORT',
    ],
    [
      'a stream that is no level of a topic',
      small.replace('north', 'a/b'),
      's/{stream}',
      ['--stream', 'boiler'],
      "line 2: found the stream 'a/b', expected one level of a topic",
    ],
    [
      'a column that is no level of a topic',
      'time,a#\n2024-01-01,1\n',
      's/{feature}',
      [],
      "line 1: found the column 'a#', expected one level",
    ],
    [
      'a column that takes the key of the time',
      'at,time\n2024-01-01,1\n',
      'x',
      ['--time', 'at'],
      "column 'time' holds numbers and would take the key of the time",
    ],
    [
      'a column without a time',
      small,
      'x',
      ['--time', 'temp2'],
      "has no column 'temp2', did you mean 'temp'?",
    ],
    [
      'no time in any row',
      small,
      'x',
      ['--time', 'boiler'],
      "found 'north', expected a time (no row has one)",
    ],
    [
      'no column of numbers',
      'time,note\n2024-01-01,x\n',
      'x',
      [],
      'found no column of numbers beside the time and the stream',
    ],
    [
      'a text column by name',
      small,
      'x',
      ['--columns', 'boiler'],
      "column 'boiler': found 'north', expected a number",
    ],
    [
      'a certificate that is not there',
      small,
      'x',
      ['--ca', '/nowhere.pem'],
      'cannot read the certificate authority (ca) /nowhere.pem',
    ],
  ])('refuses %s in one line', async (_, csv, topic, options, message) => {
    const { code, stdout, stderr } = await replay(csv, topic, ...options);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^cellstream: .*\n$/);
  });

  test('refuses a file that is not there, and suggests one', async () => {
    write(small);
    const path = join(folder, 'recordng.csv');
    const { code, stderr } = await runHere('replay', path, '--broker', broker.url, '--topic', 'x');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `cellstream: there is no recording ${path}; did you mean ${join(folder, 'recording.csv')}?\n`,
    });
  });

  test('gives up in one line where there is no broker', async () => {
    const { code, stderr } = await replay(small, 'x', '--broker', 'mqtt://127.0.0.1:1');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'cellstream: no connection to the broker at 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1\n',
    });
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('ends at %s with its report', async (signal) => {
    const heard = await hear();
    const path = write('time,x\n2024-01-01T00:00:00Z,1\n2024-01-01T10:00:00Z,2\n');
    const program = startProgram('replay', path, '--broker', broker.url, '--topic', 'x', '--json');
    await until(() => heard().length === 1, 30_000);
    program.signal(signal);
    expect(await program.ended).toBe(0);
    expect(JSON.parse(program.stdout)).toMatchObject({ messages: 1, numbers: 1, streams: 1, unfinished: 0 });
  });
});
