import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectAsync } from 'mqtt';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { inferenceModule } from '../src/kernels/inference-module.ts';
import { trainingModule } from '../src/kernels/training-module.ts';
import { startBroker } from '../src/mqtt/broker.ts';
import { until } from './mqtt/until.ts';
import { startRun } from './service/run-process.ts';

const root = new URL('..', import.meta.url);
const model = fileURLToPath(new URL('models/nyc-weather/nyc-weather.pb', root));

/** What a process has loaded: rooms of dist, and packages. */
interface Loaded {
  readonly rooms: readonly string[];
  readonly packages: readonly string[];
}

/** A folder where V8 lists every script of the processes that are started from now on. */
function watchScripts(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-loaded-'));
  vi.stubEnv('NODE_V8_COVERAGE', folder);
  return folder;
}

function loadedBy(folder: string): Loaded {
  const paths = readdirSync(folder)
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as { result: { url: string }[] })
    .flatMap(({ result }) => result.map(({ url }) => url))
    .filter((url) => url.startsWith(root.href))
    .map((url) => url.slice(root.href.length));
  const below = (pattern: RegExp) =>
    [...new Set(paths.flatMap((path) => pattern.exec(path)?.[1] ?? []))].sort();
  return { rooms: below(/^dist\/([^/]+)/), packages: below(/^node_modules\/((?:@[^/]+\/)?[^/]+)/) };
}

describe('what is loaded', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test('by a service without a page is no page, no CSV, no training and no broker', async () => {
    const broker = await startBroker();
    onTestFinished(() => broker.close());
    const client = await connectAsync(broker.url);
    onTestFinished(() => client.endAsync(true));
    const folder = watchScripts();
    const service = await startRun(
      mkdtempSync(join(tmpdir(), 'cellstream-service-')),
      `model: ${model}\nbroker: { url: "${broker.url}" }\nsubscribe:\n  - { topic: "{stream}/telemetry" }\n`,
    );
    let forecasts = 0;
    client.on('message', () => {
      forecasts++;
    });
    await client.subscribeAsync('cellstream/JFK/forecast');
    await client.publishAsync('JFK/telemetry', '{"time":1.4e12,"temp":39,"dewp":27,"pressure":1012}');
    await until(() => forecasts === 1);
    await service.stop();
    const { rooms, packages } = loadedBy(folder);
    expect(rooms).toEqual([
      ...[
        'calibrate',
        'cli',
        'config',
        'engine',
        'kernels',
        'math',
        'model',
        'mqtt',
        'service',
        'signal',
        'state',
        'stream',
      ],
    ]);
    expect(packages).toEqual(expect.arrayContaining(['mqtt', 'rxjs', 'protobufjs', 'pino', 'yaml', 'zod']));
    expect(packages.filter((name) => /^(aedes|csv-parse|uplot|d3-|cli-progress)/.test(name))).toEqual([]);
  });

  test('by the library is rxjs and protobufjs with its parts', () => {
    const folder = watchScripts();
    const program = `
      import { readFileSync } from 'node:fs';
      import { loadModel } from ${JSON.stringify(new URL('dist/index.js', root).href)};
      const engine = await loadModel(readFileSync(${JSON.stringify(model)}));
      console.log(engine.openSession().step({ timeMs: 0, values: [39, 27, 1012] }).kind);
    `;
    const node = ['--input-type=module', '--eval', program];
    expect(execFileSync(process.execPath, node, { encoding: 'utf8' })).toBe('forecast\n');
    const { rooms, packages } = loadedBy(folder);
    expect(rooms).toEqual(['engine', 'index.js', 'kernels', 'math', 'model', 'signal', 'stream']);
    const own = packages.filter((name) => !/^(@protobufjs\/.*|long)$/.test(name));
    expect(own).toEqual(['protobufjs', 'rxjs']);
  });
});

test.each([
  ['inference', inferenceModule, 12_288],
  ['training', trainingModule, 16_384],
])('the WebAssembly module for %s is small', (_, base64, most) => {
  expect(Buffer.from(base64, 'base64').length).toBeLessThanOrEqual(most);
});
