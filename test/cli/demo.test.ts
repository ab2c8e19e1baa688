import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type DemoOptions, runDemo } from '../../src/cli/demo.ts';
import { formatTime } from '../../src/signal/times.ts';
import { findPort } from '../mqtt/ports.ts';
import { createTinyEngine, hourMs, startMs, writeTinyModel } from '../stream/tiny-engine.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const stations = ['north', 'south'];
const historyHours = 100;
const hours = 145;

/** Rows with gaps and missing cells. */
function rowOf(station: number, hour: number): readonly [number, number] | undefined {
  if ((hour + 5 * station) % 13 === 4) return undefined;
  const temp = (hour + station) % 17 === 3 ? Number.NaN : Math.fround(50 + 9 * Math.sin(hour / 5 + station));
  return [temp, Math.fround(1000 + 3 * Math.cos(hour / 11))];
}

const training = {
  ...createTinyEngine().model.training,
  recipe: 'name: tiny\ndata: tiny.csv\ntime: at\nstream: station\nfeatures: [temp, pressure]\ntarget: temp\n',
  validationEndMs: startMs + historyHours * hourMs,
  testEndMs: startMs + hours * hourMs,
};

let folder: string;
let model: string;
let data: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cellstream-demo-'));
  model = join(folder, 'tiny.pb');
  data = join(folder, 'tiny.csv');
  writeFileSync(model, writeTinyModel({ training }));
  const cell = (value: number) => (Number.isNaN(value) ? 'NA' : value);
  const lines = ['station,at,temp,pressure'];
  for (let hour = 0; hour < hours; hour++) {
    stations.forEach((station, s) => {
      const row = rowOf(s, hour);
      if (row) lines.push([station, formatTime(startMs + hour * hourMs), ...row.map(cell)].join());
    });
  }
  writeFileSync(data, lines.join('\n'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
});

afterEach(() => {
  vi.restoreAllMocks();
});

async function runJson(options: Partial<DemoOptions> = {}) {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await runDemo({ json: true, quiet: true, model, data, ...options });
  expect(log).toHaveBeenCalledOnce();
  return JSON.parse(String(log.mock.calls[0][0]));
}

/** What sessions say over the same rows, every pair held in memory. */
function scoreSessions() {
  const engine = createTinyEngine({ training });
  let n = 0;
  let messages = 0;
  const sums = { mae: 0, persistenceMae: 0 };
  stations.forEach((station, s) => {
    const session = engine.openSession(station);
    let newest = Number.NaN;
    for (let hour = 0; hour < hours; hour++) {
      const row = rowOf(s, hour);
      if (!row) continue;
      const result = session.step({ timeMs: startMs + hour * hourMs, values: row });
      if (!Number.isNaN(row[0])) newest = row[0];
      if (hour < historyHours || result.kind !== 'forecast') continue;
      messages++;
      for (const step of [1, 3]) {
        const truth = hour + step < hours ? (rowOf(s, hour + step)?.[0] ?? Number.NaN) : Number.NaN;
        if (Number.isNaN(truth)) continue;
        n++;
        sums.mae += Math.abs(result.at(step) - truth);
        sums.persistenceMae += Math.abs(newest - truth);
      }
    }
  });
  return { messages, mae: sums.mae / n, persistenceMae: sums.persistenceMae / n };
}

describe('the demo', () => {
  test('replays the test part to its end, and scores like sessions over the same rows', async () => {
    const line = await runJson();
    const expected = scoreSessions();
    expect(Object.keys(line)).toEqual([
      ...['url', 'broker', 'streams', 'messages', 'forecasts', 'mae', 'persistenceMae'],
      ...['stepUsP50', 'stepUsP99', 'latencyMsP50', 'latencyMsP99', 'counters'],
    ]);
    expect(line).toMatchObject({ streams: 2, messages: expected.messages, forecasts: expected.messages });
    expect(line.mae).toBeCloseTo(expected.mae, 3);
    expect(line.persistenceMae).toBeCloseTo(expected.persistenceMae, 3);
    expect(line.counters).toMatchObject({
      applied: 2 * expected.messages,
      late: 0,
      duplicate: 0,
      malformed: 0,
    });
    expect(line.stepUsP50).toBeGreaterThan(0);
    expect(line.stepUsP99).toBeGreaterThanOrEqual(line.stepUsP50);
    expect(line.latencyMsP50).toBeGreaterThan(0);
    expect(line.latencyMsP99).toBeGreaterThanOrEqual(line.latencyMsP50);
  });

  test('ends after the seconds that it was given, on the port that it was given', async () => {
    const port = await findPort();
    const line = await runJson({ seconds: 0.3, port });
    expect(line.url).toBe(`http://127.0.0.1:${port}/`);
    expect(line.forecasts).toBe(line.messages);
    expect(line.messages).toBeLessThan(scoreSessions().messages);
  });

  test('says in a sentence what it measured when no JSON is asked for', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    await runDemo({ json: false, quiet: false, seconds: 0.3, model, data });
    expect(log.mock.calls.at(-1)?.[0]).toMatch(
      /^\d+ messages, \d+ forecasts of 2 sensors\. temp \+1h, \+3h: mean/,
    );
  });

  test('says nothing while it runs when it is to be quiet, and ends with the same sentence', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    const write = vi.spyOn(process.stdout, 'write');
    await runDemo({ json: false, quiet: true, seconds: 0.3, model, data });
    expect(console.error).not.toHaveBeenCalled();
    expect(write).not.toHaveBeenCalled();
    expect(log).toHaveBeenCalledOnce();
    expect(log.mock.calls[0][0]).toMatch(/^\d+ messages, \d+ forecasts of 2 sensors\./);
  });

  test.each([true, false])('fails when it ends before the first target arrives (json: %s)', async (json) => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    await expect(runDemo({ json, quiet: true, seconds: 0.001, model, data })).rejects.toEqual(
      expect.objectContaining({
        name: 'DemoError',
        message: expect.stringMatching(/^no target of \d forecasts has arrived .* 0\.001$/),
      }),
    );
    expect(log).not.toHaveBeenCalled();
  });

  test('names a port in use, a missing model and data without a test part as mistakes of the user', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const usage = (message: string) =>
      expect.objectContaining({ name: 'UsageError', message: expect.stringMatching(message) });
    await expect(runDemo({ json: true, quiet: true, model, data, port })).rejects.toEqual(
      usage(`^dashboard: 127.0.0.1:${port} is already in use`),
    );
    taken.close();
    await expect(runDemo({ json: true, quiet: true, model: join(folder, 'tiny.bp'), data })).rejects.toEqual(
      usage('tiny.pb'),
    );
    const late = join(folder, 'late.pb');
    writeFileSync(late, writeTinyModel({ training: { ...training, validationEndMs: training.testEndMs } }));
    await expect(runDemo({ json: true, quiet: true, model: late, data })).rejects.toEqual(
      usage('no row in the test part'),
    );
  });

  test('fails when no forecast comes back', async () => {
    // a segment longer than the recording: the model never answers
    const { architecture } = createTinyEngine().model;
    const silent = join(folder, 'silent.pb');
    const segment = { ...architecture, phases: 1, segment: 1000 };
    writeFileSync(silent, writeTinyModel({ training, architecture: segment }));
    await expect(runDemo({ json: true, quiet: true, seconds: 0.2, model: silent, data })).rejects.toThrow(
      /^no forecast came back for \d+ messages/,
    );
  });
});

describe('the shipped demo', () => {
  async function run(args: readonly string[], { interrupt = false } = {}) {
    const main = join(root, 'src/cli/main.ts');
    const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main, 'demo', ...args], {
      cwd: folder,
    });
    let stdout = '';
    let stderr = '';
    let told = !interrupt;
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr += text;
      // the first line of progress: the replay is on its way
      if (told || !String(text).includes('msg/s')) return;
      told = true;
      child.kill('SIGTERM');
    });
    const [code] = await once(child, 'close');
    return { code, stdout, stderr };
  }

  test('forecasts three stations better than persistence, in one line of JSON', async () => {
    const { code, stdout, stderr } = await run(['--seconds', '6', '--json']);
    expect(stderr).not.toContain('Error');
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    const line = JSON.parse(stdout);
    expect(line.streams).toBe(3);
    expect(line.messages).toBeGreaterThan(400);
    expect(line.forecasts).toBe(line.messages);
    expect(line.mae).toBeLessThan(line.persistenceMae);
    expect(line.counters.applied).toBe(3 * line.messages);
  });

  test('ends with its figures when it is told to stop', async () => {
    const { code, stdout } = await run(['--json'], { interrupt: true });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).forecasts).toBeGreaterThan(0);
  });
});
