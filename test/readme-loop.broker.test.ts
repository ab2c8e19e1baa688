import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { ForecastMessage } from '../src/stream/encode.ts';
import { openLink, textOf } from './mqtt/links.ts';
import { describeWithMosquitto, startMosquitto } from './mqtt/mosquitto.ts';
import { until } from './mqtt/until.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const section = /## On your own broker\n([\s\S]*?)\n## /.exec(readme)?.[1] ?? '';
const blocks = (language: string) =>
  [...section.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text]) => text);

/** Enough to train on, and soon trained on. */
const recordedDays = 100;

interface Shell {
  readonly child: ChildProcess;
  readonly text: string;
  /** The exit code. */
  readonly ended: Promise<number | null>;
}

describeWithMosquitto('the loop of the README', () => {
  test('record, replay, train, evaluate and run, word for word', { timeout: 600_000 }, async () => {
    const [record, replay, train, run] = blocks('sh');
    const [config] = blocks('yaml');
    const { url } = await startMosquitto();
    const folder = mkdtempSync(join(tmpdir(), 'cellstream-readme-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const withBroker = (text: string) => text.replaceAll('mqtt://localhost', url);
    writeData(folder);
    writeFileSync(join(folder, 'plant.yaml'), withBroker(config).replace(/^dashboard.*\n/m, ''));

    const recorder = shell(folder, withBroker(record));
    await until(() => recorder.text.includes('recording'));
    await expectSuccess(shell(folder, withBroker(replay)));
    // it has all of them some time after the broker
    const { length } = dataRows(folder).slice(1);
    await until(() => recorder.text.includes(`recording: ${length} messages`));
    await interrupt(recorder, 'sensors.csv: ');
    const rows = readFileSync(join(folder, 'sensors.csv'), 'utf8').trim().split('\n');
    expect(rows[0]).toBe('time,stream,temp,dewp,pressure');
    expect(rows.length).toBe(dataRows(folder).length);

    const trained = shell(folder, train);
    await expectSuccess(trained);
    expect(trained.text).toContain('persistence');

    const service = shell(folder, run);
    await until(() => service.text.includes('connected to the broker'));
    const reader = await openLink({ url, filters: [{ topic: 'cellstream/+/forecast', qos: 1 }] });
    await expectSuccess(shell(folder, withBroker(replay)));
    const newest = dataRows(folder).at(-1)?.split(',').at(-1);
    const ofNewest = () =>
      reader.deliveries.map(textOf).find((forecast) => forecast.includes(`"time":"${newest}"`));
    await until(() => ofNewest() !== undefined);
    const forecast = JSON.parse(ofNewest() as string) as ForecastMessage;
    expect(forecast).toMatchObject({ health: 'warm', horizons: [{ steps: 6 }] });
    await interrupt(service, '"msg":"stopped"');
  });
});

/** The README's paths lead to the shipped data, cut at its first days. */
function writeData(folder: string): void {
  mkdirSync(join(folder, 'models', 'nyc-weather'), { recursive: true });
  mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true });
  symlinkSync(join(root, 'dist', 'cli', 'main.js'), join(folder, 'node_modules', '.bin', 'cellstream'));
  const [header, ...rows] = readFileSync(join(root, 'models/nyc-weather/weather.csv'), 'utf8')
    .trim()
    .split('\n');
  const end = new Date(Date.UTC(2013, 0, 1) + recordedDays * 86_400_000).toISOString();
  const first = rows.filter((row) => (row.split(',').at(-1) as string) < end);
  writeFileSync(join(folder, 'models/nyc-weather/weather.csv'), `${[header, ...first].join('\n')}\n`);
}

function dataRows(folder: string): string[] {
  return readFileSync(join(folder, 'models/nyc-weather/weather.csv'), 'utf8').trim().split('\n');
}

function shell(folder: string, command: string): Shell {
  // a group of its own, which a signal reaches as Ctrl+C does
  const child = spawn('bash', ['-ec', command], {
    detached: true,
    cwd: folder,
    env: { ...process.env, npm_config_offline: 'true' },
  });
  const shown = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      shown.text += data;
    });
  }
  onTestFinished(() => signal(child, 'SIGKILL'));
  return {
    child,
    get text() {
      return shown.text;
    },
    ended: once(child, 'close').then(([code]) => code as number | null),
  };
}

function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  try {
    process.kill(-(pid as number), name);
  } catch {
    // it has ended by itself
  }
}

/** Ctrl+C, which ends the shell and npx too, so that their exit codes say nothing; the last words do. */
async function interrupt(started: Shell, lastWords: string): Promise<void> {
  signal(started.child, 'SIGINT');
  await started.ended;
  expect(started.text).toContain(lastWords);
}

async function expectSuccess(started: Shell): Promise<void> {
  const code = await started.ended;
  expect({ code, text: started.text }).toEqual({ code: 0, text: started.text });
}
