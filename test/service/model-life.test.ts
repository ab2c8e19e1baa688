import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { type Engine, loadModel } from '../../src/engine/engine.ts';
import type { Delivery } from '../../src/mqtt/intake.ts';
import type { Link } from '../../src/mqtt/link.ts';
import { createLog } from '../../src/service/log.ts';
import type { ModelAnswer } from '../../src/service/model-answers.ts';
import { type ModelLife, startModelLife } from '../../src/service/model-life.ts';
import type { ModelRecord, ModelShelf } from '../../src/service/model-shelf.ts';
import { until } from '../mqtt/until.ts';
import { makeFolder } from '../state/folder.ts';
import { writeTinyModel } from '../stream/tiny-engine.ts';

const [first, second] = [writeTinyModel(), writeTinyModel({ release: 2 })];
let serving: Engine;
beforeAll(async () => {
  serving = await loadModel(first);
});

interface Place {
  readonly record?: Partial<ModelRecord>;
  readonly isFull?: boolean;
  /** The life looks at the model that serves. */
  readonly onLook?: (life: ModelLife) => void;
}

/** The life of the models of a service without a broker, on a disk that may be full. */
async function openLife(place: Place = {}) {
  const disk = { isFull: place.isFull ?? false, kept: [] as string[] };
  const said: ModelAnswer[] = [];
  const lines: Record<string, unknown>[] = [];
  const models = { promoted: 0, refused: 0, shadow: null };
  let record: ModelRecord = { serving: serving.id, highestRelease: 1, ...place.record };
  let deliver = (_: Delivery) => {};
  const shelf: Pick<ModelShelf, 'read' | 'write' | 'keep' | 'load'> = {
    read: () => record,
    write(next) {
      if (disk.isFull) throw new Error('no space left');
      record = next;
    },
    keep: (id) => void disk.kept.push(id),
    load() {
      throw new Error('no such file');
    },
  };
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
    ...{
      keys: [],
      takesUnfit: false,
      shadowMs: 0,
      topic: 'models',
      path: join(await makeFolder(), 'tiny.pb'),
    },
    shelf: shelf as ModelShelf,
    log: createLog('life', { destination: { write: (line: string) => lines.push(JSON.parse(line)) } }),
  });
  onTestFinished(() => life.stop());
  return {
    ...{ life, disk, said, models },
    record: () => record,
    troubles: () => lines.filter(({ msg }) => String(msg).startsWith('what became of a model')),
    /** As the broker replays it. */
    send: (bytes: string | Uint8Array) =>
      deliver({ topic: 'models', payload: Buffer.from(bytes), retain: true, dup: false, id: 1 }),
  };
}

test('a model that is refused while the disk is full is answered and counted, and remembered only once that is on disk', async () => {
  const { disk, said, models, record, troubles, send } = await openLife({ isFull: true });
  for (let i = 1; i <= 2; i++) {
    send('hello');
    await until(() => said.length === i);
  }
  expect(said[1]).toMatchObject({ status: 'refused', reason: expect.stringContaining('not a cellstream') });
  expect(models.refused).toBe(2);
  await until(() => troubles().length === 2);
  expect(troubles()[0].reason).toBe('no space left');
  disk.isFull = false;
  send('hello');
  await until(() => said.length === 3);
  expect(record().seenTopic).toBe(said[2].id);
  send('hello');
  await new Promise(setImmediate);
  send('another');
  await until(() => said.length === 4);
  expect(said[3].id).not.toBe(said[2].id);
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
    expect(said).toMatchObject([{ status: 'refused', reason: 'no such file' }]);
    expect(models.refused).toBe(1);
    await until(() => (record().candidate === undefined) === !isFull);
    expect(troubles()).toHaveLength(isFull ? 1 : 0);
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
