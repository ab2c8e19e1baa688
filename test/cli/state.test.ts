import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  const { link } = await openLink({ url: broker.url });
  for (let hour = 0; hour < 5; hour++) {
    for (const [i, name] of names.entries()) {
      if (hour < 5 - i) {
        const time = startMs + hour * hourMs;
        await send(link, `sensors/${name}`, JSON.stringify({ time, temp: 50 + hour + i, pressure: 1000 }));
      }
    }
  }
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
    expect((await state('reset', at('other.yaml'))).code).toBe(0);
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
      1,
      expect.stringContaining(`states of the model ${serving.slice(0, 12)}`),
    ]);
  });

  test('says what is wrong in one line, with exit code 2', async () => {
    writeFileSync(at('broken.state'), 'not a state');
    const lines = [
      await state('ls', at('plant.yaml'), '--stream', 'boiler7'),
      await state('export', at('plant.yaml')),
      await state('import', at('plant.yaml'), at('broken.state')),
      await state('import', at('plant.yaml'), at('nowhere.state')),
      await state('forget', at('plant.yaml')),
    ].map(({ code, stderr }) => `${code} ${stderr.trim()}`);
    expect(lines).toEqual([
      '2 cellstream: no state of a stream "boiler7"; there are 3: see state ls',
      '2 cellstream: state export wants a file: cellstream state export CONFIG.yaml FILE',
      expect.stringMatching(
        /^2 cellstream: .*broken\.state has no header: it is no file of cellstream, or damaged$/,
      ),
      expect.stringMatching(/^2 cellstream: .*nowhere\.state/),
      expect.stringMatching(/^2 cellstream: .*'forget' is invalid.*ls, export, import, reset/),
    ]);
  });

  test('leaves a folder alone that a service holds', async () => {
    const lock = await lockFolder(at('states'));
    const { code, stderr } = await state('reset', at('plant.yaml'));
    await lock.release();
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `cellstream: ${at('states')} is in use by another cellstream: one service a folder\n`,
    });
    expect(await list()).toHaveLength(3);
  });
});
