import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { type Engine, loadModel } from '../../src/engine/engine.ts';
import type { Model } from '../../src/model/model.ts';
import type { Link } from '../../src/mqtt/link.ts';
import type { ModelAnswer } from '../../src/service/model-answers.ts';
import { modelIdOf } from '../../src/service/model-checks.ts';
import { signModel } from '../../src/service/signatures.ts';
import { createKeyTexts, readPrivateKey } from '../../src/service/signing-keys.ts';
import type { ForecastMessage } from '../../src/stream/encode.ts';
import { capture } from '../cli/capture.ts';
import { createDice } from '../fixtures/random-model.ts';
import { openLink, send, type TestLink, textOf } from '../mqtt/links.ts';
import { describeWithMosquitto, startMosquitto } from '../mqtt/mosquitto.ts';
import { until } from '../mqtt/until.ts';
import { makeDisk } from '../state/folder.ts';
import { mountsDisks } from '../state/small-disk.ts';
import { createTinyEngine, writeTinyModel } from '../stream/tiny-engine.ts';
import { type RunProcess, startRun } from './run-process.ts';
import { payloadAt } from './service-cases.ts';

const topic = 'cellstream/plant/model';
const streams = ['a', 'b', 'c'];
const base = createTinyEngine().model;

/** The tiny model with another offset of its answers. */
function shifted(offset: number, changes: Partial<Model> = {}): Uint8Array {
  const { head } = base;
  if (!head) throw new Error('the tiny model has a head');
  const bias = { ...head.bias, values: head.bias.values.map((value) => value + offset) };
  return writeTinyModel({ ...changes, head: { ...head, bias } });
}

const [first, second] = [shifted(0), shifted(0.01)];
let engines: Engine[];
beforeAll(async () => {
  engines = [await loadModel(first), await loadModel(second)];
});

interface Plant {
  readonly folder: string;
  readonly url: string;
  readonly sensor: Link;
  readonly forecasts: TestLink;
  /** Of the models topic. */
  readonly answers: () => readonly ModelAnswer[];
  start(): Promise<RunProcess>;
  /** Puts a model in place of the config's, at once. */
  replace(bytes: Uint8Array): void;
  sendHours(from: number, to: number): Promise<void>;
}

/** @param stateFolder beside the config unless set */
async function openPlant(
  models: string,
  trusted: readonly string[] = [],
  stateFolder = 'plant.state',
): Promise<Plant> {
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-life-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { url } = await startMosquitto({ lines: ['max_inflight_messages 0'] });
  const config =
    `model: tiny.pb\nbroker: { url: "${url}" }\nsubscribe: [{ topic: sensors/{stream} }]\n` +
    `state: { dir: ${stateFolder}, commit: 50ms }\nmodels: ${models}\n`;
  trusted.forEach((pem, i) => {
    writeFileSync(join(folder, `trusted${i}.pub.pem`), pem);
  });
  const path = join(folder, 'tiny.pb');
  const replace = (bytes: Uint8Array) => {
    writeFileSync(`${path}.next`, bytes);
    renameSync(`${path}.next`, path);
  };
  replace(first);
  const { link: sensor } = await openLink({ url });
  const forecasts = await openLink({ url, filters: [{ topic: 'cellstream/+/forecast', qos: 1 }] });
  const said = await openLink({ url, filters: [{ topic: `${topic}/status`, qos: 1 }] });
  return {
    ...{ folder, url, sensor, forecasts, replace },
    answers: () => said.deliveries.map((delivery) => JSON.parse(textOf(delivery)) as ModelAnswer),
    start: () => startRun(folder, config),
    async sendHours(from, to) {
      for (let hour = from; hour < to; hour++) {
        await Promise.all(streams.map((stream) => send(sensor, `sensors/${stream}`, payloadAt(hour))));
        // some hundred messages a second: what a broker cannot take is superseded, which is no matter of models
        await sleep(3);
      }
    },
  };
}

function messagesOf({ deliveries }: TestLink): ForecastMessage[] {
  return deliveries.map((delivery) => JSON.parse(textOf(delivery)) as ForecastMessage);
}

/** Every forecast has the bits of a session of its own model that has seen all hours. */
function expectBits(messages: readonly ForecastMessage[], hours: number): void {
  const expected = new Map<string, number>();
  for (const { id, openSession } of engines) {
    const session = openSession('a');
    for (let hour = 0; hour < hours; hour++) {
      const { time, temp, pressure } = JSON.parse(payloadAt(hour));
      const result = session.step({ timeMs: time, values: [temp, pressure] });
      if (result.kind === 'forecast') expected.set(`${id} ${time}`, result.at(3));
    }
  }
  for (const { model, time, horizons } of messages) {
    expect(Math.fround(horizons[1].value)).toBe(expected.get(`${model} ${Date.parse(time)}`));
  }
}

const has = (run: RunProcess, text: string) => run.lines.some(({ msg }) => msg.includes(text));

describeWithMosquitto('a model that comes while the service runs', () => {
  test('takes the place of the old one under load with no message unanswered, at the states of all that was read', async () => {
    const plant = await openPlant('{ shadow: off }');
    const run = await plant.start();
    let hours = 0;
    const sendUntil = async (done: () => boolean) => {
      while (!done()) await plant.sendHours(hours, ++hours);
    };
    await sendUntil(() => hours >= 100);
    // half a file is no model: it is passed over, or refused where this machine stalls until it has rested
    const half = second.subarray(0, second.length >> 1);
    writeFileSync(join(plant.folder, 'tiny.pb'), half);
    const halfUntil = performance.now() + 300;
    await sendUntil(() => performance.now() > halfUntil);
    plant.replace(second);
    await sendUntil(() => has(run, 'a new model serves'));
    const swappedAt = hours;
    await sendUntil(() => hours >= swappedAt + 100);
    await until(() => plant.forecasts.deliveries.length === hours * streams.length);
    const messages = messagesOf(plant.forecasts);
    for (const stream of streams) {
      const ids = messages.filter((message) => message.stream === stream).map(({ model }) => model);
      const firstNew = ids.indexOf(engines[1].id);
      expect(ids.slice(0, firstNew).every((id) => id === engines[0].id)).toBe(true);
      expect(ids.slice(firstNew).every((id) => id === engines[1].id)).toBe(true);
      expect(ids.length - firstNew).toBeGreaterThanOrEqual(100);
    }
    expectBits(messages, hours);
    const refused = run.lines.filter(({ msg }) => msg.startsWith('refused a model')).map(({ id }) => id);
    expect(refused).toEqual(refused.length === 0 ? [] : [modelIdOf(half)]);
    const summary = await run.stop();
    expect(summary).toMatchObject({
      ...{ model: engines[1].id, models: { promoted: 1, refused: refused.length } },
    });
    // the next start goes on with it
    const next = await plant.start();
    await plant.sendHours(hours, hours + 1);
    await until(() => plant.forecasts.deliveries.length === (hours + 1) * streams.length);
    expectBits(messagesOf(plant.forecasts), hours + 1);
    expect(await next.stop()).toMatchObject({ model: engines[1].id, models: { promoted: 0, refused: 0 } });
    // and a rollback with the one before, at the states that it would have had all the time
    const back = await capture(['rollback', join(plant.folder, 'plant.yaml'), '--json']);
    expect(back).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(back.stdout)).toMatchObject({ serving: engines[0].id, before: engines[1].id });
    const old = await plant.start();
    await plant.sendHours(hours + 1, hours + 2);
    await until(() => plant.forecasts.deliveries.length === (hours + 2) * streams.length);
    const last = messagesOf(plant.forecasts).slice(-streams.length);
    expect(last.map(({ model }) => model)).toEqual(streams.map(() => engines[0].id));
    expectBits(last, hours + 2);
    await old.stop();
  });

  test('is refused when it is bad, unsigned, older, too large or of another shape, and the old one answers', async () => {
    const [mine, other] = [createKeyTexts(), createKeyTexts()];
    const key = readPrivateKey(mine.privateKey, 'key');
    const plant = await openPlant(`{ trust: [trusted0.pub.pem], topic: ${topic}, shadow: off }`, [
      mine.publicKey,
    ]);
    plant.replace(signModel(shifted(0, { release: 5 }), key));
    const run = await plant.start();
    const renamed = { ...base.input, names: ['temp', 'dewp'] };
    const refused: readonly (readonly [bytes: Uint8Array, reason: string])[] = [
      [new TextEncoder().encode('hello'), 'not a cellstream model'],
      [shifted(1, { release: 6 }), 'it is not signed'],
      [signModel(shifted(1, { release: 6 }), readPrivateKey(other.privateKey, 'key')), 'it is signed by'],
      [signModel(shifted(1, { release: 4 }), key), 'its release is 4, expected at least 5'],
      [
        signModel(shifted(1, { release: 6, input: renamed }), key),
        'its features are temp, dewp, expected temp, pressure',
      ],
      [signModel(shifted(1, { release: 6, fit: false }), key), 'not fit for use'],
      [new Uint8Array(300_000), 'a message of 300000 bytes, expected at most 262144'],
    ];
    for (const [i, [bytes, reason]] of refused.entries()) {
      plant.sensor.publish(topic, bytes, { qos: 1, retain: true });
      await until(() => plant.answers().length > i);
      expect(plant.answers()[i]).toMatchObject({
        status: 'refused',
        reason: expect.stringContaining(reason),
      });
      await plant.sendHours(i, i + 1);
      await until(() => plant.forecasts.deliveries.length === (i + 1) * streams.length);
    }
    expect(new Set(messagesOf(plant.forecasts).map(({ model }) => model)).size).toBe(1);
    expect(await run.stop()).toMatchObject({ models: { promoted: 0, refused: refused.length } });
  });

  test('is answered and served after two thousand messages of rubbish, each in a counter and none on disk', async () => {
    const keys = createKeyTexts();
    const key = readPrivateKey(keys.privateKey, 'key');
    const plant = await openPlant(`{ trust: [trusted0.pub.pem], topic: ${topic}, shadow: off }`, [
      keys.publicKey,
    ]);
    plant.replace(signModel(first, key));
    const run = await plant.start();
    const record = join(plant.folder, 'plant.state', 'models-plant', 'models.json');
    const before = statSync(record).mtimeMs;
    const rubbish = Array.from({ length: 2_000 }, (_, i) => send(plant.sensor, topic, `rubbish ${i}`));
    await Promise.all(rubbish);
    const last = modelIdOf(Buffer.from('rubbish 1999'));
    await until(() => plant.answers().some(({ id }) => id === last));
    expect(statSync(record).mtimeMs).toBe(before);
    expect(run.lines.filter(({ msg }) => msg.startsWith('refused a model'))).toHaveLength(1);
    plant.sensor.publish(topic, signModel(second, key), { qos: 1, retain: true });
    await until(() => plant.answers().some(({ status }) => status === 'promoted'));
    const { models } = await run.stop();
    expect(models).toMatchObject({ promoted: 1, refused: 2_000 - models.superseded });
  });

  test('is deployed from the command line, and the replay of it at a restart is not judged anew', async () => {
    const keys = createKeyTexts();
    const key = readPrivateKey(keys.privateKey, 'key');
    const plant = await openPlant(`{ trust: [trusted0.pub.pem], topic: ${topic}, shadow: off }`, [
      keys.publicKey,
    ]);
    plant.replace(signModel(first, key));
    const file = join(plant.folder, 'new.pb');
    const deploy = () =>
      capture(['deploy', file, '--broker', plant.url, '--topic', topic, '--seconds', '10', '--json']);
    const run = await plant.start();
    writeFileSync(file, second);
    expect(await deploy()).toMatchObject({ code: 2, stderr: expect.stringContaining('is not signed') });
    writeFileSync(file, signModel(second, key));
    const { code, stdout } = await deploy();
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, id: engines[1].id, status: 'promoted' });
    expect(await run.stop()).toMatchObject({ model: engines[1].id, models: { promoted: 1 } });
    expect(await capture(['rollback', join(plant.folder, 'plant.yaml')])).toMatchObject({ code: 0 });
    const next = await plant.start();
    await plant.sendHours(0, 1);
    await until(() => plant.forecasts.deliveries.length === streams.length);
    expect(await next.stop()).toMatchObject({ model: engines[0].id, models: { promoted: 0, refused: 0 } });
  });

  test('serves on when the key that signed it leaves, and comes back by its topic after a start with a wrong key', async () => {
    const [old, next, wrong] = [createKeyTexts(), createKeyTexts(), createKeyTexts()];
    const keys = [old, next, wrong].map(({ privateKey }) => readPrivateKey(privateKey, 'key'));
    const plant = await openPlant(`{ trust: [trusted0.pub.pem], topic: ${topic}, shadow: off }`, [
      old.publicKey,
    ]);
    const trust = ({ publicKey }: typeof old) =>
      writeFileSync(join(plant.folder, 'trusted0.pub.pem'), publicKey);
    const young = shifted(0.01, { release: 2 });
    const { id } = await loadModel(young);
    plant.replace(keys.reduce((bytes, key) => signModel(bytes, key), first));
    const run = await plant.start();
    plant.sensor.publish(topic, signModel(young, keys[0]), { qos: 1, retain: true });
    await until(() => plant.answers().some(({ status }) => status === 'promoted'));
    const both = signModel(signModel(young, keys[0]), keys[1]);
    plant.sensor.publish(topic, both, { qos: 1, retain: true });
    await until(() => plant.answers().some(({ reason }) => reason === 'it serves already'));
    expect(await run.stop()).toMatchObject({ model: id });
    trust(next);
    expect(await (await plant.start()).stop()).toMatchObject({ model: id });
    trust(wrong);
    expect(await (await plant.start()).stop()).toMatchObject({ model: engines[0].id });
    trust(next);
    const mended = await plant.start();
    await until(() => has(mended, 'a new model serves'));
    expect(await mended.stop()).toMatchObject({ model: id, models: { promoted: 1 } });
  });

  test('in the shadow is taken back by the one that serves, and by no copy of it that nobody has signed', async () => {
    const keys = createKeyTexts();
    const key = readPrivateKey(keys.privateKey, 'key');
    const plant = await openPlant(`{ trust: [trusted0.pub.pem], topic: ${topic}, shadow: 1h }`, [
      keys.publicKey,
    ]);
    plant.replace(signModel(first, key));
    const run = await plant.start();
    const wasPutBack = () => run.lines.some(({ reason }) => reason === 'the model that serves was put back');
    const deploy = async (bytes: Uint8Array, status: ModelAnswer['status'], reason?: string) => {
      plant.sensor.publish(topic, bytes, { qos: 1, retain: true });
      await until(() => {
        const last = plant.answers().at(-1);
        return last?.status === status && last.reason?.startsWith(reason ?? '') !== false;
      });
    };
    await deploy(signModel(second, key), 'shadow');
    for (const bytes of [first, second]) await deploy(bytes, 'refused', 'it is not signed');
    const record = join(plant.folder, 'plant.state', 'models-plant', 'models.json');
    expect(JSON.parse(readFileSync(record, 'utf8')).candidate).toBe(engines[1].id);
    expect(wasPutBack()).toBe(false);
    const other = readPrivateKey(createKeyTexts().privateKey, 'key');
    const both = signModel(signModel(second, key), other);
    await deploy(both, 'shadow');
    expect(readFileSync(join(dirname(record), `${engines[1].id}.pb`))).toEqual(Buffer.from(both));
    await deploy(signModel(first, key), 'promoted', 'it serves already');
    await until(wasPutBack);
    await run.stop();
  });

  test.runIf(mountsDisks())(
    'waits on its topic while the disk is read-only, and is answered and served when it may write again',
    async () => {
      const keys = createKeyTexts();
      const key = readPrivateKey(keys.privateKey, 'key');
      const { folder, disk } = await makeDisk();
      const plant = await openPlant(
        `{ trust: [trusted0.pub.pem], topic: ${topic}, shadow: off }`,
        [keys.publicKey],
        folder,
      );
      plant.replace(signModel(first, key));
      await (await plant.start()).stop();
      const session = join(folder, 'session-cellstream-plant.json');
      rmSync(session);
      disk.makeReadOnly();
      await send(plant.sensor, topic, 'rubbish', { retain: true });
      const run = await plant.start();
      await until(() => has(run, 'new models wait until the disk takes the record'));
      await until(() => has(run, 'cannot remember the subscriptions, and tries again'));
      plant.sensor.publish(topic, signModel(second, key), { qos: 1, retain: true });
      await plant.sendHours(0, 1);
      await until(() => plant.forecasts.deliveries.length === streams.length);
      expect(plant.answers()).toEqual([]);
      disk.makeWritable();
      await until(() => plant.answers().some(({ status }) => status === 'promoted'));
      expect(plant.answers()).toMatchObject([
        { id: engines[1].id, status: 'accepted' },
        { status: 'promoted' },
      ]);
      await until(() => existsSync(session));
      // the rubbish came twice: in the session, and as what was retained
      expect(await run.stop()).toMatchObject({ models: { promoted: 1, refused: 0, superseded: 2 } });
    },
  );

  test.runIf(mountsDisks())('is judged again when the disk had no room for it', async () => {
    const { folder, disk } = await makeDisk();
    const plant = await openPlant('{ shadow: off }', [], folder);
    const run = await plant.start();
    await plant.sendHours(0, 1);
    await until(() => plant.forecasts.deliveries.length === streams.length);
    disk.fill();
    plant.replace(second);
    await until(() => has(run, 'refused a model'));
    expect(run.lines.find(({ msg }) => msg.startsWith('refused'))?.reason).toContain('ENOSPC');
    disk.empty();
    // the same file, which nobody asks about
    plant.replace(second);
    await until(() => has(run, 'a new model serves'));
    expect(await run.stop()).toMatchObject({ model: engines[1].id, models: { promoted: 1, refused: 1 } });
  });

  test('runs in the shadow first: a worse one is refused, one as good is promoted', async () => {
    const plant = await openPlant('{ shadow: 1s }');
    const run = await plant.start();
    let hours = 0;
    const sendUntil = async (done: () => boolean) => {
      while (!done()) await plant.sendHours(hours, ++hours);
    };
    plant.replace(shifted(3));
    await sendUntil(() => has(run, 'refused a model'));
    const refusal = run.lines.find(({ msg }) => msg.startsWith('refused'));
    expect(refusal?.reason).toMatch(
      /its live error is .* times that of the old model .* expected at most 1\.05/,
    );
    // without a reading there is nothing to judge by, and the operator thinks better of it
    plant.replace(second);
    await until(() => run.lines.filter(({ msg }) => msg.includes('runs in the shadow')).length === 2);
    plant.replace(first);
    await until(() => run.lines.some(({ reason }) => reason === 'the model that serves was put back'));
    plant.replace(second);
    await sendUntil(() => has(run, 'a new model serves'));
    await until(() => plant.forecasts.deliveries.length === hours * streams.length);
    expectBits(messagesOf(plant.forecasts), hours);
    expect(await run.stop()).toMatchObject({ model: engines[1].id, models: { promoted: 1, refused: 2 } });
  });

  test('is there with its own states or not at all, whenever the process is killed', async () => {
    const plant = await openPlant('{ shadow: off }');
    const dice = createDice(6);
    let hours = 0;
    for (let round = 0; round < 6; round++) {
      const run = await plant.start();
      await plant.sendHours(hours, hours + 5);
      hours += 5;
      plant.replace(round % 2 === 0 ? second : first);
      // what a kill has cut short is promoted first
      const { id } = engines[round % 2 === 0 ? 1 : 0];
      await until(() => run.lines.some((line) => line.msg === 'a new model serves' && line.id === id));
      const sending = plant.sendHours(hours, hours + 5);
      await sleep(dice.int(0, 30));
      await run.kill('SIGKILL');
      await sending;
      hours += 5;
    }
    const run = await plant.start();
    await plant.sendHours(hours, hours + 5);
    hours += 5;
    // what is answered while a session resumes is superseded by what comes after: the newest is there in any case
    const { time } = JSON.parse(payloadAt(hours - 1));
    await until(() => {
      const newest = messagesOf(plant.forecasts).filter((message) => Date.parse(message.time) === time);
      return new Set(newest.map(({ stream }) => stream)).size === streams.length;
    });
    expectBits(messagesOf(plant.forecasts), hours);
    expect(new Set(messagesOf(plant.forecasts).map(({ model }) => model)).size).toBe(2);
    await run.stop();
  });
});
