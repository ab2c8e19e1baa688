import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadModel } from '../../src/engine/engine.ts';
import { startBroker } from '../../src/mqtt/broker.ts';
import { type ModelRecord, openModelShelf } from '../../src/service/model-shelf.ts';
import { signModel } from '../../src/service/signatures.ts';
import { createKeyTexts, readPrivateKey } from '../../src/service/signing-keys.ts';
import { lockFolder } from '../../src/state/lock.ts';
import type { ForecastMessage } from '../../src/stream/encode.ts';
import { openLink, send, textOf } from '../mqtt/links.ts';
import { findPort } from '../mqtt/ports.ts';
import { until } from '../mqtt/until.ts';
import { startRun } from '../service/run-process.ts';
import { payloadAt } from '../service/service-cases.ts';
import { writeTinyModel } from '../stream/tiny-engine.ts';
import { capture } from './capture.ts';

const ids = async (...models: readonly Uint8Array[]) =>
  await Promise.all(models.map(async (bytes) => (await loadModel(bytes)).id));

async function openPlant(more = '') {
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-models-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const broker = await startBroker();
  onTestFinished(() => broker.close());
  const port = await findPort();
  const config =
    `model: tiny.pb\nbroker: { url: "${broker.url}" }\nsubscribe: [{ topic: sensors/{stream} }]\n` +
    `models: { shadow: off }\ndashboard: { port: ${port} }\n${more}`;
  const file = join(folder, 'tiny.pb');
  const { link, deliveries } = await openLink({
    url: broker.url,
    filters: [{ topic: 'cellstream/+/forecast', qos: 1 }],
  });
  let hour = 0;
  return {
    ...{ folder, file, config },
    start: () => startRun(folder, config),
    /** Sends one frame. @returns the id of the model that answers it */
    async ask(): Promise<string> {
      await send(link, 'sensors/a', payloadAt(hour++));
      await until(() => deliveries.length === hour);
      return (JSON.parse(textOf(deliveries[hour - 1])) as ForecastMessage).model;
    },
  };
}

describe('the model of a running service', () => {
  test('stays when its file becomes a bad one, changes with a good one, and goes back by a rollback', async () => {
    const models = [writeTinyModel(), writeTinyModel({ release: 2 })] as const;
    const [old, young] = await ids(...models);
    const { folder, file, start, ask } = await openPlant();
    writeFileSync(file, models[0]);
    const run = await start();
    expect(await ask()).toBe(old);
    writeFileSync(file, 'no model');
    await until(() => run.lines.some(({ msg }) => msg.startsWith('refused a model')));
    expect(run.lines.find(({ msg }) => msg.startsWith('refused'))?.reason).toContain(
      'not a cellstream model',
    );
    expect(await ask()).toBe(old);
    writeFileSync(file, models[1]);
    await until(() => run.lines.some(({ msg }) => msg === 'a new model serves'));
    expect(await ask()).toBe(young);
    expect((await run.view()).overview.model.id).toBe(young);
    const config = join(folder, 'plant.yaml');
    const busy = await capture(['rollback', config]);
    expect(busy).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is in use by another cellstream'),
    });
    expect(await run.stop()).toMatchObject({
      model: young,
      models: { promoted: 1, refused: 1, shadow: null },
    });
    expect((await capture(['rollback', config])).stdout).toContain('tiny 1.0.0 (release 1');
    const states = await capture(['state', 'ls', config, '--json']);
    expect(JSON.parse(states.stdout)).toMatchObject({ model: old, count: 1 });
    const next = await start();
    expect(next.lines.find(({ msg }) => msg.startsWith('found the states of an earlier run'))?.streams).toBe(
      0,
    );
    expect(await ask()).toBe(old);
    expect(await next.stop()).toMatchObject({ model: old, models: { promoted: 0, refused: 0 } });
  });

  test('is looked at again by SIGHUP, which ends nothing', async () => {
    const models = [writeTinyModel(), writeTinyModel({ release: 2 })] as const;
    const [old, young] = await ids(...models);
    const { folder, file, start, ask } = await openPlant();
    writeFileSync(file, models[0]);
    await (await start()).stop();
    writeFileSync(file, models[1]);
    await (await start()).stop();
    expect((await capture(['rollback', join(folder, 'plant.yaml')])).code).toBe(0);
    const run = await start();
    expect(await ask()).toBe(old);
    run.signal('SIGHUP');
    await until(() => run.lines.some(({ msg }) => msg === 'a new model serves'));
    expect(await ask()).toBe(young);
    await run.stop();
  });
});

test('a service that keeps no states on disk holds its models against a rollback', async () => {
  const models = [writeTinyModel(), writeTinyModel({ release: 2 })] as const;
  const [old, young] = await ids(...models);
  const { folder, file, start, ask } = await openPlant('state: { commit: off }\n');
  const config = join(folder, 'plant.yaml');
  writeFileSync(file, models[0]);
  const first = await start();
  writeFileSync(file, models[1]);
  await until(() => first.lines.some(({ msg }) => msg === 'a new model serves'));
  expect(await ask()).toBe(young);
  expect(await capture(['rollback', config])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('models-plant is in use by another cellstream'),
  });
  await first.stop();
  expect((await capture(['rollback', config])).code).toBe(0);
  const next = await start();
  expect(await ask()).toBe(old);
  await next.stop();
});

test('a start looks at no model before the folder is its own, so that no rollback comes between', async () => {
  const { folder, file } = await openPlant();
  writeFileSync(file, 'no model');
  const config = join(folder, 'plant.yaml');
  writeFileSync(
    config,
    `model: tiny.pb\nbroker: { url: "mqtt://127.0.0.1:1" }\nsubscribe: [{ topic: s/{stream} }]\n`,
  );
  mkdirSync(join(folder, 'plant.state'));
  const lock = await lockFolder(join(folder, 'plant.state'));
  expect(await capture(['run', config])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('plant.state is in use by another cellstream'),
  });
  await lock.release();
  expect((await capture(['run', config])).stderr).toContain('not a cellstream model');
});

describe('rollback', () => {
  /** An unsigned model that served before a signed one, which is now asked for. */
  async function openGuarded() {
    const { folder, file, start, ask, config } = await openPlant();
    const keys = createKeyTexts();
    const models = [writeTinyModel(), writeTinyModel({ release: 2 })] as const;
    const [old, young] = await ids(...models);
    writeFileSync(file, models[0]);
    await (await start()).stop();
    writeFileSync(join(folder, 'key.pem'), keys.privateKey, { mode: 0o600 });
    writeFileSync(join(folder, 'key.pub.pem'), keys.publicKey);
    writeFileSync(file, signModel(models[1], readPrivateKey(keys.privateKey, 'key')));
    const guarded = config.replace('shadow: off', 'shadow: off, trust: [key.pub.pem]');
    await (await startRun(folder, guarded)).stop();
    return {
      ...{ folder, old, young, ask },
      kept: join(folder, 'plant.state', 'models-plant', `${old}.pb`),
      path: join(folder, 'plant.yaml'),
      startGuarded: () => startRun(folder, guarded),
    };
  }

  test('goes to no model that the next start would not take, and to it once it is signed', async () => {
    const { folder, path, kept, old, young, startGuarded, ask } = await openGuarded();
    const refused = await capture(['rollback', path]);
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${kept}: it is not signed, expected a signature by a trusted key`),
    });
    const run = await startGuarded();
    expect(await ask()).toBe(young);
    await run.stop();
    await capture(['sign', kept, '--key', join(folder, 'key.pem')]);
    expect((await capture(['rollback', path])).code).toBe(0);
    const back = await startGuarded();
    expect(await ask()).toBe(old);
    await back.stop();
  });

  test('says what to do where the model before is gone', async () => {
    const { path, kept } = await openGuarded();
    rmSync(kept);
    const { code, stderr } = await capture(['rollback', path]);
    expect(code).toBe(2);
    expect(stderr).toContain(
      `cannot go back to ${kept}: the file is gone; nothing was changed; put that model there again`,
    );
  });

  test('that an earlier program has made to such a model keeps no service from its start', async () => {
    const { folder, path, kept, old, young, startGuarded, ask } = await openGuarded();
    const shelf = openModelShelf(join(folder, 'plant.state'), 'plant');
    const record = shelf.read() as ModelRecord;
    shelf.write({ ...record, serving: old, previous: young, highestRelease: 1 });
    const states = await capture(['state', 'ls', path, '--json']);
    expect(JSON.parse(states.stdout)).toMatchObject({ model: young });
    expect(states.stderr).toContain(`${kept}: it is not signed`);
    const run = await startGuarded();
    expect(await ask()).toBe(young);
    await run.stop();
  });

  test('comes before a file that has come meanwhile', async () => {
    const { folder, file, start, ask } = await openPlant();
    const models = [1, 2, 3].map((release) => writeTinyModel({ release }));
    const [old] = await ids(...models);
    for (const bytes of models.slice(0, 2)) {
      writeFileSync(file, bytes);
      await (await start()).stop();
    }
    writeFileSync(file, models[2]);
    expect((await capture(['rollback', join(folder, 'plant.yaml')])).code).toBe(0);
    const run = await start();
    expect(await ask()).toBe(old);
    await run.stop();
  });
});

test('rollback has nowhere to go before a second model', async () => {
  const { folder, file, start } = await openPlant();
  writeFileSync(file, writeTinyModel());
  await (await start()).stop();
  const { code, stderr } = await capture(['rollback', join(folder, 'plant.yaml')]);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining(
      'has no model before the one that serves: there is nowhere to go back to',
    ),
  });
});
