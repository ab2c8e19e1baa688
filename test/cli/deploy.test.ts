import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readModelFile } from '../../src/model/format.ts';
import { startBroker } from '../../src/mqtt/broker.ts';
import { modelIdOf } from '../../src/service/model-checks.ts';
import { openLink } from '../mqtt/links.ts';
import { startNarrowBroker } from '../mqtt/narrow-broker.ts';
import { writeTinyModel } from '../stream/tiny-engine.ts';
import { capture } from './capture.ts';

const topic = 'cellstream/plant/model';

/** A folder with a signed model. @returns the path of it */
async function signTiny(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-deploy-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const model = join(folder, 'tiny.pb');
  writeFileSync(model, writeTinyModel());
  expect((await capture(['keygen', '--out', folder])).code).toBe(0);
  expect((await capture(['sign', model, '--key', join(folder, 'model-key.pem')])).code).toBe(0);
  return model;
}

/** A device in the place of one with a long log: what it says to a model, in order. */
async function openDevice(...statuses: readonly string[]): Promise<string> {
  const broker = await startBroker();
  onTestFinished(() => broker.close());
  const { link } = await openLink({ url: broker.url, filters: [{ topic, qos: 1 }] });
  link.onMessage(({ payload }) => {
    const id = modelIdOf(readModelFile(payload).modelBytes);
    for (const status of statuses) {
      const answer = JSON.stringify({ id, release: 1, status });
      link.publish(`${topic}/status`, answer, { qos: 1, retain: true }, () => {});
    }
  });
  return broker.url;
}

const deploy = (model: string, broker: string, ...more: readonly string[]) =>
  capture(['deploy', model, '--broker', broker, '--topic', topic, ...more]);

describe('deploy', () => {
  test('waits on for what a device decides that has accepted the model', async () => {
    const { code, stdout, stderr } = await deploy(await signTiny(), await openDevice('accepted', 'promoted'));
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('serves now') });
    expect(stderr).toContain(
      'accepted, waiting until the device has made the states of the model from its log',
    );
  });

  test('says of a device that accepted and takes longer that it has not decided', async () => {
    const { code, stderr } = await deploy(await signTiny(), await openDevice('accepted'), '--seconds', '3');
    expect(code).toBe(1);
    expect(stderr.trim().split('\n').at(-1)).toBe(
      `cellstream: the device has accepted the model and has not decided in 3 s: it says on ${topic}/status what becomes of it; wait longer with --seconds`,
    );
  });

  test('asks where nobody answers whether a service is connected', async () => {
    const { code, stderr } = await deploy(await signTiny(), await openDevice(), '--seconds', '1');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('no answer on cellstream/plant/model/status in 1 s: is a service'),
    });
  });

  test('waits no longer for a broker that is stuck', async () => {
    const { url } = await startNarrowBroker(0);
    const { code, stderr } = await deploy(await signTiny(), url, '--seconds', '1');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('in 1 s: is a service') });
  });

  test.each(['a/+/b', 'a/#', 'a/{stream}', ''])('takes no pattern for a topic: %j', async (pattern) => {
    const { code, stderr } = await capture([
      ...['deploy', 'none.pb', '--broker', 'mqtt://127.0.0.1:1', '--topic', pattern],
    ]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `cellstream: --topic ${JSON.stringify(pattern)} is not one topic, expected the models.topic of the services, such as cellstream/plant/model\n`,
    });
  });

  test('asks for a topic in its help, where record asks for a pattern', async () => {
    expect((await capture(['deploy', '--help'])).stdout).toContain('--topic <topic>');
    expect((await capture(['record', '--help'])).stdout).toContain('--topic <pattern>');
  });
});
