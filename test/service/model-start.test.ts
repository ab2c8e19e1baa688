import { mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readModelFile } from '../../src/model/format.ts';
import { createLog } from '../../src/service/log.ts';
import { modelIdOf } from '../../src/service/model-checks.ts';
import { openModelShelf } from '../../src/service/model-shelf.ts';
import { chooseStartModel } from '../../src/service/model-start.ts';
import { signModel } from '../../src/service/signatures.ts';
import {
  createKeyTexts,
  readPrivateKey,
  readPublicKey,
  type SigningKey,
} from '../../src/service/signing-keys.ts';
import { writeTinyModel } from '../stream/tiny-engine.ts';

const idOf = (bytes: Uint8Array) => modelIdOf(readModelFile(bytes).modelBytes);
const model = (release: number) => writeTinyModel({ release });

function openPlace(keys: readonly SigningKey[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-start-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const shelf = openModelShelf(folder, 'plant');
  const lines: Record<string, unknown>[] = [];
  const log = createLog('plant', { destination: { write: (line: string) => lines.push(JSON.parse(line)) } });
  const start = async (bytes: Uint8Array) => {
    const { engine, remember } = await chooseStartModel({ bytes, keys, takesUnfit: false, shelf, log });
    remember();
    return engine.id;
  };
  return { folder, shelf, lines, start };
}

describe('a start', () => {
  test('serves the file of the config, and a new one at once', async () => {
    const { shelf, start } = openPlace();
    expect(await start(model(1))).toBe(idOf(model(1)));
    expect(await start(model(2))).toBe(idOf(model(2)));
    expect(shelf.read()).toMatchObject({
      ...{ serving: idOf(model(2)), previous: idOf(model(1)), highestRelease: 2 },
      seenFile: idOf(model(2)),
    });
    expect(shelf.load(idOf(model(1)))).toEqual(Buffer.from(model(1)));
  });

  test('serves what served last when the file is the same as then, and remembers where it can go back to', async () => {
    const { shelf, start } = openPlace();
    await start(model(1));
    const record = { serving: idOf(model(3)), previous: idOf(model(1)), highestRelease: 3 };
    shelf.keep(record.serving, model(3));
    shelf.write({ ...record, seenFile: idOf(model(1)) });
    expect(await start(model(1))).toBe(idOf(model(3)));
    expect(shelf.read()).toMatchObject(record);
  });

  test('refuses an older file and serves on, but has nothing to serve before the first', async () => {
    const key = createKeyTexts();
    const [mine, trusted] = [readPrivateKey(key.privateKey, 'k'), readPublicKey(key.publicKey, 'k')];
    const { lines, start } = openPlace([trusted]);
    await expect(start(model(2))).rejects.toThrow('it is not signed');
    const signed = signModel(model(2), mine);
    expect(await start(signed)).toBe(idOf(model(2)));
    expect(await start(signModel(model(1), mine))).toBe(idOf(model(2)));
    expect(await start(model(5))).toBe(idOf(model(2)));
    expect(lines.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('its release is 1, expected at least 2'),
      expect.stringContaining('it is not signed'),
    ]);
  });

  test('serves the file of the config where the disk has lost the model that served last', async () => {
    const { folder, shelf, lines, start } = openPlace();
    await start(model(1));
    const other = idOf(model(3));
    shelf.keep(other, model(3));
    shelf.write({ serving: other, highestRelease: 1, seenFile: idOf(model(1)) });
    writeFileSync(join(folder, 'models-plant', `${other}.pb`), model(2));
    expect(await start(model(1))).toBe(idOf(model(1)));
    expect(lines.at(-1)).toMatchObject({
      level: 'error',
      reason: expect.stringContaining(`${other}.pb: it is another model`),
    });
  });

  test('serves the file of the config where the keys no longer trust the model that served last', async () => {
    const [old, next] = [createKeyTexts(), createKeyTexts()];
    const signWith = ({ privateKey }: typeof old, bytes: Uint8Array) =>
      signModel(bytes, readPrivateKey(privateKey, 'k'));
    const { shelf, lines, start } = openPlace([readPublicKey(next.publicKey, 'k')]);
    const mine = signWith(next, model(1));
    await start(mine);
    const deployed = { serving: idOf(model(3)), previous: idOf(model(1)), highestRelease: 3 };
    shelf.keep(deployed.serving, signWith(old, model(3)));
    shelf.write({ ...deployed, seenFile: idOf(model(1)) });
    // older than what was served, and better than none
    expect(await start(mine)).toBe(idOf(model(1)));
    expect(lines).toMatchObject([
      { level: 'error', reason: expect.stringContaining(`${deployed.serving}.pb: it is signed by`) },
    ]);
    expect(shelf.read()).toMatchObject({
      ...{ serving: idOf(model(1)), previous: deployed.serving, highestRelease: 3 },
    });
    // the next one has nothing to say
    expect(await start(mine)).toBe(idOf(model(1)));
    expect(lines).toHaveLength(1);
  });

  test('with the wrong keys takes nothing away: a rollback finds the model that served, and the topic may bring it again', async () => {
    const [right, wrong] = [createKeyTexts(), createKeyTexts()];
    const signWith = ({ privateKey }: typeof right, bytes: Uint8Array) =>
      signModel(bytes, readPrivateKey(privateKey, 'k'));
    const { shelf, start } = openPlace([readPublicKey(wrong.publicKey, 'k')]);
    const file = signWith(wrong, model(1));
    await start(file);
    const deployed = signWith(right, model(3));
    shelf.keep(idOf(deployed), deployed);
    shelf.write({
      ...{ serving: idOf(deployed), highestRelease: 3, seenFile: idOf(file), seenTopic: idOf(deployed) },
    });
    // the second finds what the first has left
    for (let times = 0; times < 2; times++) {
      expect(await start(file)).toBe(idOf(file));
      expect(shelf.read()).toEqual({
        ...{ serving: idOf(file), previous: idOf(deployed), highestRelease: 3, seenFile: idOf(file) },
      });
      expect(shelf.load(idOf(deployed))).toEqual(Buffer.from(deployed));
    }
  });

  test('ends where the disk cannot be read, and the next one finds all as it was', async () => {
    const { folder, shelf, start } = openPlace();
    await start(model(1));
    const record = { serving: idOf(model(3)), highestRelease: 3, seenFile: idOf(model(1)) };
    shelf.keep(record.serving, model(3));
    shelf.write(record);
    for (const name of [`${record.serving}.pb`, 'models.json']) {
      const path = join(folder, 'models-plant', name);
      // the system reads no folder as it does a file
      renameSync(path, join(folder, 'aside'));
      mkdirSync(path);
      await expect(start(model(1))).rejects.toThrow('EISDIR');
      rmdirSync(path);
      renameSync(join(folder, 'aside'), path);
      expect(await start(model(1))).toBe(record.serving);
      expect(shelf.read()).toEqual(record);
    }
  });

  test('adds the signatures of its file to those of the copy that it keeps', async () => {
    const [old, next] = [createKeyTexts(), createKeyTexts()];
    const signWith = ({ privateKey }: typeof old, bytes: Uint8Array) =>
      signModel(bytes, readPrivateKey(privateKey, 'k'));
    const { shelf, start } = openPlace([readPublicKey(old.publicKey, 'k')]);
    const signed = signWith(old, model(1));
    await start(signed);
    // as it was deployed again
    shelf.keep(idOf(signed), signWith(next, signed));
    expect(await start(signed)).toBe(idOf(signed));
    expect(shelf.load(idOf(signed))).toEqual(Buffer.from(signWith(next, signed)));
  });

  test('takes the copy that is signed of the model that served last, where the file of the config is not', async () => {
    const { privateKey, publicKey } = createKeyTexts();
    const { shelf, start } = openPlace([readPublicKey(publicKey, 'k')]);
    const signed = signModel(model(1), readPrivateKey(privateKey, 'k'));
    await start(signed);
    expect(await start(model(1))).toBe(idOf(model(1)));
    expect(shelf.load(idOf(model(1)))).toEqual(Buffer.from(signed));
    shelf.keep(idOf(model(1)), model(1));
    await expect(start(model(1))).rejects.toThrow('it is not signed');
  });

  test('keeps no more models than it may need', async () => {
    const { shelf, start } = openPlace();
    for (const release of [1, 2, 3]) await start(model(release));
    expect(shelf.load(idOf(model(1)))).toBeUndefined();
    expect(shelf.load(idOf(model(2)))).toEqual(Buffer.from(model(2)));
  });
});
