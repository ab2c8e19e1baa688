import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadDataset } from '../../src/data/load.ts';
import { createAuthority } from '../mqtt/certificates.ts';
import { openLink, send } from '../mqtt/links.ts';
import { describeWithMosquitto, startMosquitto } from '../mqtt/mosquitto.ts';
import { until } from '../mqtt/until.ts';
import { runHere, runJson } from './small-data.ts';
import { startRecord } from './started-record.ts';

const weather = fileURLToPath(new URL('../../models/nyc-weather/weather.csv', import.meta.url));
const topic = 's/{stream}/w';
let folder: string;
let out: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cellstream-record-'));
  out = join(folder, 'out.csv');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describeWithMosquitto('record on mosquitto', () => {
  test('goes on after the broker was killed', async () => {
    const mosquitto = await startMosquitto();
    const { warnings, report } = await startRecord({ broker: mosquitto.url, topic, out, messages: 4 });
    const sender = await openLink({ url: mosquitto.url });
    const say = async (temp: number) => {
      await send(sender.link, 's/a/w', JSON.stringify({ time: 1.7e9 + temp, temp }));
      await send(sender.link, 's/a/w', 'heard');
    };
    await say(1);
    await until(() => warnings.length === 1);
    await mosquitto.stop('SIGKILL');
    await until(() => warnings.length === 2);
    await mosquitto.start();
    await until(() => warnings.some((line) => line.startsWith('connected')) && sender.link.connected);
    await say(2);
    expect((await report).summary).toMatchObject({ messages: 4, rows: 2, malformed: 2 });
    expect(readFileSync(out, 'utf8').split('\n').slice(1, -1)).toEqual([
      '2023-11-14T22:13:21Z,a,1',
      '2023-11-14T22:13:22Z,a,2',
    ]);
  });

  test('loses none of the hours of three stations that a replay publishes as fast as it can', async () => {
    const mosquitto = await startMosquitto({ lines: ['max_inflight_messages 0'] });
    const rows = readFileSync(weather, 'utf8').trimEnd().split('\n').length - 1;
    const { report } = await startRecord({ broker: mosquitto.url, topic, out, messages: rows });
    const replay = ['replay', weather, '--broker', mosquitto.url, '--topic', topic, '--stream', 'origin'];
    expect(await runJson(...replay, '--speed', 'max')).toMatchObject({
      messages: rows,
      streams: 3,
      again: 0,
    });
    expect((await report).summary).toMatchObject({
      messages: rows,
      rows,
      streams: 3,
      duplicates: 0,
      late: 0,
    });
    const features = ['temp', 'dewp', 'pressure', 'wind_gust'];
    const [before, after] = [
      loadDataset(weather, { features, stream: 'origin' }),
      loadDataset(out, { features, stream: 'stream' }),
    ];
    expect(after.series).toEqual(before.series);
  });

  test('comes in with the password of the environment, and is told where a broker refuses it', async () => {
    const acl = 'user ann\ntopic readwrite s/#\n';
    const mosquitto = await startMosquitto({ users: { ann: 'secret' }, acl });
    const run = (filter: string) =>
      runHere(
        ...['record', '--broker', mosquitto.url, '--username', 'ann', '--topic', filter, '--out', out],
        ...['--seconds', '0.1'],
      );
    vi.stubEnv('CELLSTREAM_MQTT_PASSWORD', 'secret');
    expect(await run(topic)).toMatchObject({ code: 0 });
    vi.stubEnv('CELLSTREAM_MQTT_PASSWORD', 'hunter2');
    const { code, stderr } = await run(topic);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^cellstream: the broker at \S+: not authorized: .*\n$/);
    expect(stderr).not.toContain('hunter2');
  });

  test('shows its certificate, and says so where the broker does not take it', async () => {
    const authority = createAuthority();
    const server = authority.issue('server', 'DNS:localhost,IP:127.0.0.1');
    const client = authority.issue('client', 'DNS:client');
    const { url } = await startMosquitto({ tls: { authority, server, clients: true } });
    const run = (...files: string[]) =>
      runHere('record', '--broker', url, '--topic', topic, '--out', out, '--seconds', '0.1', ...files);
    const ca = ['--ca', authority.certFile];
    expect(await run(...ca, '--cert', client.certFile, '--key', client.keyFile)).toMatchObject({ code: 0 });
    for (const files of [ca, []]) {
      const { code, stderr } = await run(...files);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^cellstream: the broker at localhost:\d+: .*certificate.*\n$/);
    }
  });
});
