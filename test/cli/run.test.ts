import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { loadModel } from '../../src/engine/engine.ts';
import { startBroker } from '../../src/mqtt/broker.ts';
import { openLink, send, textOf } from '../mqtt/links.ts';
import { findPort } from '../mqtt/ports.ts';
import { until } from '../mqtt/until.ts';
import { startRun } from '../service/run-process.ts';
import { createTinyEngine, hourMs, startMs, writeTinyModel } from '../stream/tiny-engine.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const recipe =
  'name: tiny\ndata: tiny.csv\ntime: at\nstream: station\nfeatures: [temp, pressure]\ntarget: temp\nperiod: 1h\n';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cellstream-run-'));
  const { training } = createTinyEngine().model;
  writeFileSync(join(folder, 'tiny.pb'), writeTinyModel({ training: { ...training, recipe } }));
});

afterAll(() => rmSync(folder, { recursive: true }));

const configFor = (url: string, more = '') =>
  `model: tiny.pb\nbroker: { url: "${url}" }\nsubscribe: [{ topic: sensors/{stream} }]\n${more}`;

async function listen(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe('a service', () => {
  test('logs JSON, answers, and ends with its counters at SIGTERM', async () => {
    const broker = await startBroker();
    onTestFinished(() => broker.close());
    const run = await startRun(folder, configFor(broker.url));
    const { link, deliveries } = await openLink({
      url: broker.url,
      filters: [{ topic: 'cellstream/#', qos: 1 }],
    });
    await send(link, 'sensors/a', JSON.stringify({ time: startMs, temp: 50, pressure: 1000 }));
    await send(link, 'sensors/a', 'oops');
    await until(() => deliveries.some(({ topic }) => topic === 'cellstream/a/forecast'));
    // what comes behind a forecast may still be on its way to the service
    await until(() => run.lines.some(({ reason }) => reason === 'not JSON'));
    const summary = await run.stop();
    expect(summary).toMatchObject({
      ...{ messages: 2, streams: 1, reconnects: 0 },
      readings: { applied: 2, malformed: 1 },
      forecasts: { published: 1, waiting: 0 },
    });
    for (const line of run.stderr.trim().split('\n')) {
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), name: 'plant' });
    }
    expect(run.lines.map(({ msg }) => msg).at(-1)).toBe('stopped');
    const status = () => deliveries.filter(({ topic }) => topic === 'cellstream/plant/status').map(textOf);
    await until(() => status().length > 0);
    expect(status()[0]).toBe('online');
  });

  test('waits for a broker that is not there yet, in one line, and is there when it comes', async () => {
    const port = await findPort();
    const run = await startRun(folder, configFor(`mqtt://127.0.0.1:${port}`), { connects: false });
    await until(() => run.lines.some(({ level }) => level === 'warn'));
    const broker = await startBroker(port);
    onTestFinished(() => broker.close());
    await until(() => run.lines.some(({ msg }) => msg.startsWith('connected to the broker')));
    const away = run.lines.filter(({ msg }) => msg.includes('no connection to the broker'));
    expect(away).toHaveLength(1);
    await run.stop();
  });

  test.each([
    ['as the training data names its columns', 'at,station'],
    ['as record names them', 'time,stream'],
  ])('starts with the states that --warm gives it, %s', async (_, names) => {
    const broker = await startBroker();
    onTestFinished(() => broker.close());
    const rows = Array.from({ length: 20 }, (_, hour) =>
      [new Date(startMs + hour * hourMs).toISOString(), 'a', 50 + Math.sin(hour), 1000].join(),
    );
    writeFileSync(join(folder, 'history.csv'), `${names},temp,pressure\n${rows.join('\n')}\n`);
    // nothing of the other run may be on disk
    const config = `${configFor(broker.url)}state: { commit: off }\n`;
    const run = await startRun(folder, config, { args: ['--warm', 'history.csv'] });
    const { link, deliveries } = await openLink({
      url: broker.url,
      filters: [{ topic: 'cellstream/+/forecast', qos: 1 }],
    });
    const time = startMs + 20 * hourMs;
    await send(link, 'sensors/a', JSON.stringify({ time, temp: 51, pressure: 1001 }));
    await until(() => deliveries.length === 1);
    const session = createTinyEngine().openSession('a');
    for (let hour = 0; hour < 20; hour++) {
      session.step({ timeMs: startMs + hour * hourMs, values: [Math.fround(50 + Math.sin(hour)), 1000] });
    }
    const expected = session.step({ timeMs: time, values: [51, 1001] });
    if (expected.kind !== 'forecast') throw new Error('no forecast');
    const { health, horizons } = JSON.parse(textOf(deliveries[0]));
    expect(health).toBe(expected.health);
    expect(horizons.map(({ value }: { value: number }) => Math.fround(value))).toEqual([
      expected.at(1),
      expected.at(3),
    ]);
    await run.stop();
  });
});

describe('threads', () => {
  test('answer as one thread does, also when a turn brings more than they share', async () => {
    const broker = await startBroker();
    onTestFinished(() => broker.close());
    const model = fileURLToPath(new URL('../../models/nyc-weather/nyc-weather.pb', import.meta.url));
    const more = 'threads: 2\npublish: { qos: 0 }\nstate: { dir: shared, commit: off }\n';
    const run = await startRun(folder, configFor(broker.url, more).replace('tiny.pb', model));
    const { link, deliveries } = await openLink({
      url: broker.url,
      filters: [{ topic: 'cellstream/+/forecast', qos: 0 }],
    });
    const reading = (i: number) => ({
      time: startMs,
      temp: 40 + (i % 7),
      dewp: 30,
      pressure: 1000 + (i % 11),
    });
    const streams = 3000;
    for (let i = 0; i < streams; i++) {
      link.publish(`sensors/s${i}`, JSON.stringify(reading(i)), { qos: 0, retain: false });
    }
    await until(() => deliveries.length === streams);
    expect(run.lines.filter(({ level }) => level !== 'info')).toEqual([]);
    const engine = await loadModel(readFileSync(model));
    const expected = engine.model.output.horizons;
    for (const delivery of deliveries) {
      const { stream, horizons } = JSON.parse(textOf(delivery));
      const { temp, dewp, pressure } = reading(Number(stream.slice(1)));
      const result = engine.openSession(stream).step({ timeMs: startMs, values: [temp, dewp, pressure] });
      if (result.kind !== 'forecast') throw new Error('no forecast');
      expect(horizons.map(({ value }: { value: number }) => Math.fround(value))).toEqual(
        expected.map((steps) => result.at(steps)),
      );
    }
    await run.stop();
  });

  test('are of no use to a model without a fast step, which is said', async () => {
    const broker = await startBroker();
    onTestFinished(() => broker.close());
    const run = await startRun(
      folder,
      configFor(broker.url, 'threads: 2\nstate: { dir: alone, commit: off }\n'),
    );
    expect(run.lines.map(({ msg }) => msg)).toContain(
      'threads: 2 have no use for this model: it has no fast step',
    );
    await run.stop();
  });
});

describe('what is wrong ends it with exit code 2 and one clear line', () => {
  function fail(config: string, ...args: string[]) {
    writeFileSync(join(folder, 'wrong.yaml'), config);
    const child = spawnSync(process.execPath, [main, 'run', 'wrong.yaml', '--json', ...args], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
    });
    const complaints = child.stderr.split('\n').filter((line) => line.startsWith('cellstream: '));
    return { code: child.status, stdout: child.stdout, complaints };
  }

  test.each([
    [
      'a wrong key',
      configFor('mqtt://pi', 'modle: a.pb\n'),
      'wrong.yaml:4: modle: unknown key; did you mean "model"?',
    ],
    ['a missing model', configFor('mqtt://pi').replace('tiny.pb', 'tny.pb'), 'tiny.pb?'],
    [
      'a model for other features',
      configFor('mqtt://pi').replace('sensors/{stream}', 'sensors/{stream}, features: { temp: t }'),
      'wrong.yaml:3: no subscription brings pressure, which the model tiny reads',
    ],
    ['a wrong topic', configFor('mqtt://pi').replace('sensors/', 'sen#sors/'), 'wrong.yaml:3: topic: '],
    [
      'a password file that is not there',
      configFor('mqtt://pi').replace('"mqtt://pi"', 'mqtt://pi, username: a, password_file: none'),
      'cannot read the password file',
    ],
    [
      'a state folder in a folder that is not there',
      configFor('mqtt://pi', 'state: { dir: none/states }\n'),
      /cannot make the state folder .*none\/states: there is no folder .*none; make that one, or name another/,
    ],
    [
      'a state folder below a file',
      configFor('mqtt://pi', 'state: { dir: tiny.pb/states }\n'),
      /cannot make the state folder .*states: .*tiny\.pb is no folder; make that one, or name another state\.dir/,
    ],
    [
      'a file in place of the state folder',
      configFor('mqtt://pi', 'state: { dir: tiny.pb }\n'),
      'tiny.pb is a file, expected a folder; name another state.dir',
    ],
    [
      'a state folder whose path is too long for a socket',
      configFor('mqtt://pi', `state: { dir: ${'long'.repeat(40)} }\n`),
      'is too long to hold it: at most 100 bytes; name another state.dir',
    ],
  ])('%s', (_, config, expected) => {
    const { code, stdout, complaints } = fail(config);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toMatch(expected);
  });

  test('a config that is not there', () => {
    const child = spawnSync(process.execPath, [main, 'run', 'plnt.yaml'], { cwd: folder, encoding: 'utf8' });
    expect(child.status).toBe(2);
    expect(child.stderr).toMatch(/^cellstream: there is no config plnt\.yaml; did you mean plant\.yaml\?\n$/);
  });

  test('a port in use', async () => {
    const port = await listen();
    const { code, complaints } = fail(configFor('mqtt://pi', `dashboard: { port: ${port} }\n`));
    expect(code).toBe(2);
    expect(complaints[0]).toContain(`dashboard: 127.0.0.1:${port} is already in use`);
  });

  test('a model that is not fit for use, unless it is forced', async () => {
    writeFileSync(join(folder, 'unfit.pb'), writeTinyModel({ fit: false }));
    const config = configFor('mqtt://127.0.0.1:1').replace('tiny.pb', 'unfit.pb');
    const { code, complaints } = fail(config);
    expect(code).toBe(2);
    expect(complaints[0]).toContain('the model tiny is not fit for use');
    const run = await startRun(folder, config, { args: ['--force'], connects: false });
    expect(run.lines.map(({ msg }) => msg)).toContain('started');
    await run.stop();
  });

  test('a history of another period', () => {
    writeFileSync(join(folder, 'minutes.csv'), 'at,station,temp,pressure\n2013-01-01T00:00:00Z,a,1,2\n');
    const { code, complaints } = fail(configFor('mqtt://pi'), '--warm', 'minutes.csv');
    expect(code).toBe(2);
    expect(complaints).toHaveLength(1);
  });
});
