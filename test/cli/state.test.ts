import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readModelFile } from '../../src/model/format.ts';
import { startBroker } from '../../src/mqtt/broker.ts';
import { modelIdOf } from '../../src/service/model-checks.ts';
import { openModelShelf } from '../../src/service/model-shelf.ts';
import { lockFolder } from '../../src/state/lock.ts';
import { parseSnapshot } from '../../src/state/snapshot.ts';
import { openLink, send } from '../mqtt/links.ts';
import { until } from '../mqtt/until.ts';
import { startRun } from '../service/run-process.ts';
import { hourMs, startMs, writeTinyModel } from '../stream/tiny-engine.ts';
import { capture } from './capture.ts';

const names = ['boiler', 'pump', 'valve'];
let folder: string;

const config = (more = '') =>
  `model: tiny.pb\nbroker: { url: "mqtt://127.0.0.1:1" }\nsubscribe: [{ topic: sensors/{stream} }]\nstate: { dir: ${more || 'states'} }\n`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cellstream-state-'));
  writeFileSync(join(folder, 'tiny.pb'), writeTinyModel());
});

/** The states that a real service leaves: the other tests look at them. */
test('a service leaves its states behind', async () => {
  const broker = await startBroker();
  const run = await startRun(folder, config().replace('mqtt://127.0.0.1:1', broker.url));
  const { link, deliveries } = await openLink({
    ...{ url: broker.url, filters: [{ topic: 'cellstream/+/forecast', qos: 1 }] },
  });
  for (let hour = 0; hour < 5; hour++) {
    for (const [i, name] of names.entries()) {
      if (hour < 5 - i) {
        const time = startMs + hour * hourMs;
        await send(link, `sensors/${name}`, JSON.stringify({ time, temp: 50 + hour + i, pressure: 1000 }));
      }
    }
  }
  await until(() => deliveries.length === 12);
  expect((await run.stop()).readings).toMatchObject({ applied: 24, duplicate: 0 });
  await broker.close();
  writeFileSync(join(folder, 'plant.yaml'), config());
  writeFileSync(join(folder, 'other.yaml'), config('elsewhere'));
});

afterAll(() => rmSync(folder, { recursive: true }));

const idOf = (bytes: Uint8Array) => modelIdOf(readModelFile(bytes).modelBytes);
const state = (...args: readonly string[]) => capture(['state', ...args, '--json']);
const at = (name: string) => join(folder, name);

async function list(file = 'plant.yaml'): Promise<Record<string, unknown>[]> {
  const { code, stdout } = await state('ls', at(file));
  expect(code).toBe(0);
  return JSON.parse(stdout).streams;
}

describe('cellstream state', () => {
  test('ls shows every stream with its newest frame, up to the last reading', async () => {
    expect(await list()).toEqual([
      { stream: 'boiler', time: '2013-10-20T04:00:00Z', health: 'warming' },
      { stream: 'pump', time: '2013-10-20T03:00:00Z', health: 'warming' },
      { stream: 'valve', time: '2013-10-20T02:00:00Z', health: 'warming' },
    ]);
    const { stdout } = await capture(['state', 'ls', at('plant.yaml'), '--stream', 'pump']);
    expect(stdout.split('\n').slice(2)).toEqual([
      'pump    2013-10-20T03:00:00Z  warming',
      '1 stream',
      `model: tiny 1.0.0 (release 1, ${idOf(writeTinyModel()).slice(0, 16)})`,
      '',
    ]);
  });

  test('export and import carry a stream elsewhere, to the bit', async () => {
    cpSync(at('states'), at('elsewhere'), { recursive: true });
    expect((await state('reset', at('other.yaml'), '--all')).code).toBe(0);
    expect(await list('other.yaml')).toEqual([]);
    const out = await state('export', at('plant.yaml'), at('some.state'), '--stream', 'boiler', 'valve');
    expect(JSON.parse(out.stdout)).toMatchObject({ file: at('some.state'), streams: 2 });
    await state('import', at('other.yaml'), at('some.state'));
    expect(await list('other.yaml')).toEqual((await list()).filter(({ stream }) => stream !== 'pump'));
    await state('export', at('other.yaml'), at('again.state'), '--stream', 'boiler', 'valve');
    expect(readFileSync(at('again.state'))).toEqual(readFileSync(at('some.state')));
  });

  test('reset forgets the streams that it is given and no other', async () => {
    rmSync(at('elsewhere'), { recursive: true, force: true });
    cpSync(at('states'), at('elsewhere'), { recursive: true });
    const { stdout } = await state('reset', at('other.yaml'), '--stream', 'pump');
    expect(JSON.parse(stdout)).toMatchObject({ reset: 1, streams: 2 });
    expect((await list('other.yaml')).map(({ stream }) => stream)).toEqual(['boiler', 'valve']);
  });

  test('finds the model that serves after a deployment, whose file the config does not name', async () => {
    const deployed = writeTinyModel({ release: 2 });
    const [before, serving] = [idOf(writeTinyModel()), idOf(deployed)];
    cpSync(at('states'), at('deployed'), { recursive: true });
    writeFileSync(at('deployed.yaml'), `name: plant\n${config('deployed')}`);
    const shelf = openModelShelf(at('deployed'), 'plant');
    const record = { previous: before, highestRelease: 2, seenFile: before };
    shelf.keep(serving, deployed);
    shelf.write({ ...record, serving });
    const { stdout } = await state('ls', at('deployed.yaml'));
    expect(JSON.parse(stdout)).toMatchObject({ model: serving, count: 3 });
    await state('export', at('deployed.yaml'), at('deployed.state'));
    const found = parseSnapshot(readFileSync(at('deployed.state')), 'deployed.state');
    expect(found.header.model).toBe(serving);
    const { code, stderr } = await state('import', at('plant.yaml'), at('deployed.state'));
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining(`states of the model ${serving.slice(0, 12)}`),
    ]);
  });

  test('says what is wrong in one line, with exit code 2', async () => {
    writeFileSync(at('broken.state'), 'not a state');
    const lines = [
      await state('ls', at('plant.yaml'), '--stream', 'boiler7'),
      await state('export', at('plant.yaml')),
      await state('import', at('plant.yaml'), at('broken.state')),
      await state('import', at('plant.yaml'), at('brken.state')),
      await state('forget', at('plant.yaml')),
    ].map(({ code, stderr }) => `${code} ${stderr.trim()}`);
    expect(lines).toEqual([
      `2 cellstream: no state of a stream "boiler7" in ${at('plant.yaml')}, which has 3: boiler, pump, valve; did you mean "boiler"?`,
      '2 cellstream: state export wants a file: cellstream state export CONFIG.yaml FILE',
      expect.stringMatching(
        /^2 cellstream: .*broken\.state has no header: it is no file of cellstream, or damaged$/,
      ),
      `2 cellstream: there is no file of states ${at('brken.state')}; did you mean ${at('broken.state')}?`,
      expect.stringMatching(/^2 cellstream: .*'forget' is invalid.*ls, export, import, reset/),
    ]);
  });

  test('leaves a folder alone that a service holds', async () => {
    const lock = await lockFolder(at('states'));
    const { code, stderr } = await state('reset', at('plant.yaml'), '--all');
    await lock.release();
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `cellstream: ${at('states')} is in use by another cellstream: one service a folder; stop that one first\n`,
    });
    expect(await list()).toHaveLength(3);
  });

  test('looks at no model before the folder is its own, so that no rollback comes between', async () => {
    writeFileSync(at('bad.pb'), 'no model');
    writeFileSync(at('bad.yaml'), config().replace('tiny.pb', 'bad.pb'));
    const lock = await lockFolder(at('states'));
    const busy = await state('ls', at('bad.yaml'));
    await lock.release();
    expect(busy.stderr).toContain('is in use by another cellstream');
    expect((await state('ls', at('bad.yaml'))).stderr).toContain('not a cellstream model');
  });

  test.each([
    [['ls', 'plant.yaml', 'pump'], 'state ls takes no file, found pump; did you mean --stream pump?'],
    [['reset', 'plant.yaml', 'pump'], 'state reset takes no file, found pump; did you mean --stream pump?'],
    [
      ['reset', 'plant.yaml'],
      'state reset wants to know what starts cold: --stream NAME, or several, or --all for every stream',
    ],
    [['reset', 'plant.yaml', '--all', '--stream', 'pump'], 'found --all and --stream, expected one of them'],
    [['ls', 'plant.yaml', '--all'], '--all is for state reset; state ls takes every stream without --stream'],
  ])('%j asks what is meant and forgets nothing', async ([action, file, ...rest], line) => {
    const { code, stdout, stderr } = await state(action, at(file), ...rest);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: `cellstream: ${line}\n` });
    expect(await list()).toHaveLength(3);
  });

  test('import takes the streams that it is given out of a file that has more', async () => {
    rmSync(at('elsewhere'), { recursive: true, force: true });
    cpSync(at('states'), at('elsewhere'), { recursive: true });
    await state('reset', at('other.yaml'), '--all');
    await state('export', at('plant.yaml'), at('all.state'));
    const { stdout } = await state('import', at('other.yaml'), at('all.state'), '--stream', 'pump', 'pump');
    expect(JSON.parse(stdout)).toMatchObject({ streams: 1 });
    expect(await list('other.yaml')).toEqual((await list()).filter(({ stream }) => stream === 'pump'));
    const { code, stderr } = await state('import', at('other.yaml'), at('all.state'), '--stream', 'tank');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `cellstream: no state of a stream "tank" in ${at('all.state')}, which has 3: boiler, pump, valve\n`,
    });
    expect(await list('other.yaml')).toHaveLength(1);
  });

  test('export writes a stream once that is named twice, and again over an export', async () => {
    const once = await state('export', at('plant.yaml'), at('twice.state'), '--stream', 'pump');
    expect(JSON.parse(once.stdout)).toMatchObject({ streams: 1 });
    const alone = readFileSync(at('twice.state'));
    const twice = await state('export', at('plant.yaml'), at('twice.state'), '--stream', 'pump', 'pump');
    expect(JSON.parse(twice.stdout)).toMatchObject({ streams: 1 });
    expect(readFileSync(at('twice.state'))).toEqual(alone);
  });

  test('export writes over nothing but an export, and says where it cannot write', async () => {
    writeFileSync(at('keep.yaml'), config());
    mkdirSync(at('a folder'));
    const name = readdirSync(at('elsewhere')).find((file) => file.startsWith('snapshot')) as string;
    const snapshot = at(join('elsewhere', name));
    const states = readFileSync(snapshot);
    const lines = [];
    for (const file of ['keep.yaml', 'a folder', 'none/x.state', 'keep.yaml/x.state', `elsewhere/${name}`]) {
      const { code, stderr } = await state('export', at('plant.yaml'), at(file), '--stream', 'pump');
      lines.push(`${code} ${stderr.trim()}`);
    }
    expect(lines).toEqual([
      `2 cellstream: ${at('keep.yaml')} is there already and holds no states, so it stays; name another file`,
      `2 cellstream: ${at('a folder')} is a folder, expected the name of a file`,
      `2 cellstream: cannot write ${at('none/x.state')}: there is no folder ${at('none')}; make it first`,
      `2 cellstream: cannot write ${at('keep.yaml/x.state')}: ${at('keep.yaml')} is no folder`,
      `2 cellstream: ${snapshot} has the name of a service's own file; name another one such as some.state`,
    ]);
    expect(readFileSync(at('keep.yaml'), 'utf8')).toBe(config());
    expect(readFileSync(snapshot)).toEqual(states);
  });

  test('says with exit code 2 what is wrong with the folder of the config', async () => {
    writeFileSync(at('a file'), '');
    const long = 'long'.repeat(40);
    mkdirSync(at(long));
    const lines = [];
    for (const dir of ['never', '"a file"', long, 'states, commit: off']) {
      writeFileSync(at('wrong.yaml'), config(dir));
      const { code, stderr } = await state('ls', at('wrong.yaml'));
      lines.push(`${code} ${stderr.trim()}`);
    }
    expect(lines).toEqual([
      `2 cellstream: there is no state folder ${at('never')}: no service of ${at('wrong.yaml')} has started yet`,
      `2 cellstream: ${at('a file')} is a file, expected a folder; name another state.dir`,
      expect.stringMatching(/^2 cellstream: the path .* is too long to hold it: at most 100 bytes/),
      `2 cellstream: ${at('wrong.yaml')} has state.commit: off, which keeps states in memory alone: there is nothing on disk to work on`,
    ]);
  });
});
