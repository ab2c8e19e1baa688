import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { type Engine, loadModel } from '../../src/engine/engine.ts';
import { readModelFile } from '../../src/model/format.ts';
import type { Delivery } from '../../src/mqtt/intake.ts';
import type { Link } from '../../src/mqtt/link.ts';
import { createLog } from '../../src/service/log.ts';
import type { ModelAnswer } from '../../src/service/model-answers.ts';
import { modelIdOf } from '../../src/service/model-checks.ts';
import { type ModelLife, startModelLife } from '../../src/service/model-life.ts';
import { type ModelRecord, type ModelShelf, openModelShelf } from '../../src/service/model-shelf.ts';
import { signModel } from '../../src/service/signatures.ts';
import {
  createKeyTexts,
  readPrivateKey,
  readPublicKey,
  type SigningKey,
} from '../../src/service/signing-keys.ts';
import { until } from '../mqtt/until.ts';
import { makeFolder } from '../state/folder.ts';
import { writeTinyModel } from '../stream/tiny-engine.ts';

const [first, second] = [writeTinyModel(), writeTinyModel({ release: 2 })];
let serving: Engine;
beforeAll(async () => {
  serving = await loadModel(first);
});

const idOf = (bytes: Uint8Array) => modelIdOf(readModelFile(bytes).modelBytes);

interface Place {
  readonly record?: Partial<ModelRecord>;
  readonly isFull?: boolean;
  readonly prepare?: (shelf: ModelShelf) => void;
  readonly keys?: readonly SigningKey[];
  /** The life looks at the model that serves. */
  readonly onLook?: (life: ModelLife) => void;
}

/** The life of the models of a service without a broker, on a disk that may be full. */
async function openLife(place: Place = {}) {
  const folder = await makeFolder();
  const real = openModelShelf(folder, 'plant');
  const disk = { isFull: place.isFull ?? false, writes: 0, kept: [] as string[] };
  const write = (work: () => void) => {
    if (disk.isFull) throw new Error('no space left');
    disk.writes++;
    work();
  };
  const shelf: ModelShelf = {
    ...real,
    write: (next) => write(() => real.write(next)),
    keep(id, bytes) {
      write(() => real.keep(id, bytes));
      disk.kept.push(id);
    },
  };
  const record: ModelRecord = { serving: serving.id, highestRelease: 1, ...place.record };
  real.keep(serving.id, first);
  place.prepare?.(real);
  real.write(record);
  const said: ModelAnswer[] = [];
  const lines: Record<string, unknown>[] = [];
  const models = { promoted: 0, refused: 0, superseded: 0, shadow: null };
  let deliver = (_: Delivery) => {};
  const link: Pick<Link, 'onMessage' | 'onChange' | 'publish'> = {
    onMessage(handler) {
      deliver = handler;
      return () => {};
    },
    onChange: () => () => {},
    publish(_, payload, __, done) {
      said.push(JSON.parse(payload as string));
      done?.();
    },
  };
  const life: ModelLife = startModelLife({
    service: {
      ...{ models, link: link as Link },
      openShadow: () => Promise.reject(new Error('no shadow is opened here')),
      get engine() {
        place.onLook?.(life);
        return serving;
      },
    },
    ...{ shelf, start: { record, remember: () => {} } },
    ...{
      keys: place.keys ?? [],
      takesUnfit: false,
      shadowMs: 0,
      topic: 'models',
      path: join(folder, 'tiny.pb'),
    },
    log: createLog('life', { destination: { write: (line: string) => lines.push(JSON.parse(line)) } }),
  });
  onTestFinished(() => life.stop());
  disk.writes = 0;
  /** As the broker replays it, or as it has just come. */
  const send = (bytes: string | Uint8Array, retain = true) =>
    deliver({ topic: 'models', payload: Buffer.from(bytes), retain, dup: false, id: 1 });
  return {
    ...{ life, disk, said, models, lines, send, shelf: real },
    record: () => real.read() as ModelRecord,
    troubles: () => lines.filter(({ msg }) => String(msg).startsWith('what became of a model')),
    /** Waits until all that was sent is judged. */
    async settle() {
      send(first, false);
      await until(() => said.at(-1)?.reason === 'it serves already');
      said.pop();
    },
  };
}

test('what is no model, or of no key that is trusted, is answered and counted and does not touch the disk', async () => {
  const keys = [readPublicKey(createKeyTexts().publicKey, 'key')];
  const { disk, said, models, lines, record, send } = await openLife({ keys });
  const before = record();
  const rubbish = ['hello', 'another', second];
  for (const [i, bytes] of rubbish.entries()) {
    send(bytes, false);
    await until(() => said.length === i + 1);
  }
  expect(said.map(({ reason }) => reason)).toEqual([
    ...[expect.stringContaining('not a cellstream'), expect.stringContaining('not a cellstream')],
    expect.stringContaining('it is not signed'),
  ]);
  // a replay of the newest is not judged anew
  send(second);
  await new Promise(setImmediate);
  send('hello');
  await until(() => said.length === 4);
  expect(said[3].reason).toContain('not a cellstream');
  expect(models).toMatchObject({ refused: 4, superseded: 0 });
  expect(lines.filter(({ msg }) => String(msg).startsWith('refused a model'))).toHaveLength(2);
  expect({ record: record(), writes: disk.writes }).toEqual({ record: before, writes: 0 });
});

test('a model that was refused without a signature is judged again with one', async () => {
  const { privateKey, publicKey } = createKeyTexts();
  const { said, send } = await openLife({ keys: [readPublicKey(publicKey, 'key')] });
  send(second);
  await until(() => said.length === 1);
  send(signModel(second, readPrivateKey(privateKey, 'key')));
  await until(() => said.length > 1);
  expect(said[1]).toMatchObject({ id: said[0].id, status: 'accepted' });
});

test('every message is answered, or counted as superseded by the newest', async () => {
  const { said, models, send } = await openLife();
  for (let i = 0; i < 2_000; i++) send(`rubbish ${i}`, false);
  await until(() => models.refused + models.superseded === 2_000);
  expect(said.at(-1)?.id).toBe(modelIdOf(Buffer.from('rubbish 1999')));
  expect(models.superseded).toBeGreaterThan(1_900);
});

test('a model that the disk had no room for, or that could not catch up, is judged again at the next look', async () => {
  const { disk, said, models, record, send, settle } = await openLife({ isFull: true });
  const newest = await loadModel(second);
  send(second);
  await until(() => said.length === 1);
  expect(said[0]).toMatchObject({ id: newest.id, status: 'refused', reason: 'no space left' });
  expect(record().seenTopic).toBeUndefined();
  disk.isFull = false;
  for (let look = 1; look <= 2; look++) {
    send(second);
    await until(() => said.length === 1 + 2 * look);
    expect(said.slice(-2)).toMatchObject([
      { id: newest.id, status: 'accepted' },
      { status: 'refused', reason: 'no shadow is opened here' },
    ]);
    // the next start has it in the shadow again
    expect(record()).toMatchObject({ candidate: newest.id, seenTopic: newest.id });
  }
  await settle();
  expect(record()).not.toHaveProperty('candidate');
  expect(models.refused).toBe(3);
});

test('a trusted model that is refused is not judged again, whatever comes between', async () => {
  const { said, record, send, settle } = await openLife({ record: { highestRelease: 5 } });
  send(second);
  await until(() => said.length === 1);
  expect(said[0].reason).toContain('its release is 2, expected at least 5');
  expect(record().seenTopic).toBe(said[0].id);
  send('hello');
  await until(() => said.length === 2);
  send(second);
  await new Promise(setImmediate);
  await settle();
  expect(said).toHaveLength(2);
});

test('the model that serves is answered with that while the disk is full', async () => {
  const { said, models, send } = await openLife({ isFull: true });
  send(first);
  await until(() => said.length === 1);
  expect(said).toEqual([{ id: serving.id, release: 1, status: 'promoted', reason: 'it serves already' }]);
  expect(models.refused).toBe(0);
});

test('a candidate of an earlier life that is gone is refused, counted and forgotten, where the disk is full not by the record', async () => {
  for (const isFull of [false, true]) {
    const { said, models, record, troubles } = await openLife({
      isFull,
      record: { candidate: 'cd'.repeat(32) },
    });
    await until(() => said.length === 1);
    expect(said).toMatchObject([
      { status: 'refused', reason: expect.stringContaining('which was in the shadow, is gone') },
    ]);
    expect(models.refused).toBe(1);
    await until(() => (record().candidate === undefined) === !isFull);
    expect(troubles()).toHaveLength(isFull ? 1 : 0);
  }
});

test('a candidate of an earlier life that the disk does not read, or has lost, is judged when it comes again', async () => {
  const id = idOf(second);
  // the system reads no folder as it does a file
  const ways = { EISDIR: mkdirSync, 'is gone': () => {} };
  for (const [reason, lose] of Object.entries(ways)) {
    const { said, record, send, shelf } = await openLife({
      record: { candidate: id, seenTopic: id },
      prepare: ({ fileOf }) => lose(fileOf(id)),
    });
    await until(() => said.length === 1);
    expect(said[0]).toMatchObject({ status: 'refused', reason: expect.stringContaining(reason) });
    rmSync(shelf.fileOf(id), { recursive: true, force: true });
    send(second);
    await until(() => said.length > 1);
    expect(said[1]).toMatchObject({ id, status: 'accepted' });
    expect(record().candidate).toBe(id);
  }
});

test('of signed models that are too old, replayed in turn, the log and the disk have one', async () => {
  const { disk, said, models, lines, record, send } = await openLife({ record: { highestRelease: 5 } });
  const old = [second, writeTinyModel({ release: 3 })];
  for (let i = 0; i < 100; i++) {
    send(old[i % 2], false);
    await until(() => said.length === i + 1);
  }
  expect(said.every(({ reason }) => reason?.includes('expected at least 5'))).toBe(true);
  expect(models.refused).toBe(100);
  expect(lines.filter(({ msg }) => String(msg).startsWith('refused a model'))).toHaveLength(1);
  expect({ seen: record().seenTopic, writes: disk.writes }).toEqual({ seen: idOf(second), writes: 1 });
});

test('the signatures of a model on the shelf are added to its copy, whatever else is said of it, those of nobody never', async () => {
  const texts = [createKeyTexts(), createKeyTexts()];
  const [old, next] = texts.map(({ privateKey }) => readPrivateKey(privateKey, 'key'));
  const before = writeTinyModel({ release: 0 });
  const { said, send, shelf } = await openLife({
    keys: [readPublicKey(texts[0].publicKey, 'key')],
    record: { previous: idOf(before) },
    prepare: ({ keep }) => {
      for (const bytes of [first, before]) keep(idOf(bytes), signModel(bytes, old));
    },
  });
  for (const [bytes, reason] of [
    [first, 'it serves already'],
    [before, 'its release is 0'],
  ] as const) {
    const copy = () => shelf.load(idOf(bytes));
    const sendAndWait = async (sent: Uint8Array, expected: string) => {
      send(sent, false);
      await until(() => said.at(-1)?.id === idOf(bytes) && said.at(-1)?.reason?.includes(expected) === true);
    };
    const both = signModel(signModel(bytes, old), next);
    await sendAndWait(signModel(bytes, next), 'it is signed by');
    expect(copy()).toEqual(Buffer.from(signModel(bytes, old)));
    await sendAndWait(both, reason);
    expect(copy()).toEqual(Buffer.from(both));
    // a replay of what it was takes nothing back
    await sendAndWait(bytes, 'it is not signed');
    await sendAndWait(signModel(bytes, old), reason);
    expect(copy()).toEqual(Buffer.from(both));
  }
});

test('a model whose service stops while it is loaded touches the state folder no more', async () => {
  let looks = 0;
  let stopped: Promise<void> | undefined;
  const { disk, said, send } = await openLife({
    onLook(life) {
      // the first is for its id, the second for its shape, which is the last thing before it is loaded
      if (++looks === 2) stopped = life.stop();
    },
  });
  send(second);
  await until(() => stopped !== undefined);
  await stopped;
  expect(looks).toBe(2);
  expect({ kept: disk.kept, said }).toEqual({ kept: [], said: [] });
});
