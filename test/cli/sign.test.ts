import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadModel } from '../../src/engine/engine.ts';
import { writeTinyModel } from '../stream/tiny-engine.ts';
import { capture } from './capture.ts';

interface Place {
  readonly folder: string;
  readonly model: string;
  readonly key: string;
  readonly pub: string;
}

/** A folder with a model and a key. */
async function openPlace(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-sign-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const model = join(folder, 'tiny.pb');
  writeFileSync(model, writeTinyModel());
  expect((await capture(['keygen', '--out', folder])).code).toBe(0);
  return { folder, model, key: join(folder, 'model-key.pem'), pub: join(folder, 'model-key.pub.pem') };
}

describe('keygen', () => {
  test('writes a private key that only its owner reads, and never over another one', async () => {
    const { folder, key, pub } = await openPlace();
    expect(statSync(key).mode & 0o777).toBe(0o600);
    expect(readFileSync(pub, 'utf8')).toContain('BEGIN PUBLIC KEY');
    const before = readFileSync(key, 'utf8');
    const { code, stderr } = await capture(['keygen', '--out', folder]);
    expect(code).toBe(2);
    expect(stderr).toContain('is there already and is not overwritten; name another folder with --out');
    expect(readFileSync(key, 'utf8')).toBe(before);
  });
});

describe('sign and verify', () => {
  test('agree on a model, which keeps its id and still loads', async () => {
    const { folder, model, key, pub } = await openPlace();
    const { id } = await loadModel(readFileSync(model));
    const other = join(folder, 'other');
    await capture(['keygen', '--out', other]);
    expect((await capture(['sign', model, '--key', key])).code).toBe(0);
    const signed = await capture(['sign', model, '--key', join(other, 'model-key.pem'), '--json']);
    expect(JSON.parse(signed.stdout).signatures).toHaveLength(2);
    expect((await loadModel(readFileSync(model))).id).toBe(id);
    const verified = await capture(['verify', model, '--json', '--trust', pub]);
    expect(verified.code).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({
      name: 'tiny',
      release: 1,
      signedBy: [expect.any(String)],
    });
    expect(JSON.parse(verified.stdout).others).toHaveLength(1);
  });

  test('verify ends with 1 when no trusted key has signed', async () => {
    const { model, pub } = await openPlace();
    const { code, stdout, stderr } = await capture(['verify', model, '--trust', pub]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('tiny.pb: it is not signed, expected a signature by a trusted key');
  });

  test('say what is wrong with a key, a model and a second signature', async () => {
    const { folder, model, key, pub } = await openPlace();
    const rsa = join(folder, 'rsa.pem');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(rsa, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const broken = join(folder, 'broken.pem');
    writeFileSync(broken, readFileSync(key, 'utf8').replace(/\n[^-]*\n/, '\nAAAA\n'));
    const wrong = async (args: readonly string[], expected: string) => {
      const { code, stderr } = await capture(args);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(expected) });
    };
    await wrong(['sign', model, '--key', pub], 'found a public key, expected the private key');
    await wrong(['sign', model, '--key', model], 'found no key in PEM');
    await wrong(['sign', model, '--key', rsa], 'found a key of rsa, expected ed25519');
    await wrong(['sign', model, '--key', broken], 'broken.pem: the key cannot be read');
    await wrong(['sign', model, '--key', join(folder, 'model-key.pm')], 'did you mean');
    await wrong(['sign', pub, '--key', key], 'not a cellstream model');
    await wrong(['verify', model, '--trust', key], 'found a private key, expected the public key');
    expect((await capture(['sign', model, '--key', key])).code).toBe(0);
    await wrong(['sign', model, '--key', key], 'has signed this model already');
  });
});
