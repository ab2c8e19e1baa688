import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scoreEngine } from '../../src/cli/score-engine.ts';
import { loadDataset } from '../../src/data/load.ts';
import { type Engine, loadModel } from '../../src/engine/engine.ts';
import { runHere, runJson } from './small-data.ts';

const shipped = (file: string) => fileURLToPath(new URL(`../../models/nyc-weather/${file}`, import.meta.url));
const model = shipped('nyc-weather.pb');
const data = shipped('weather.csv');
let engine: Engine;
let folder: string;
beforeAll(async () => {
  engine = await loadModel(readFileSync(model));
  folder = mkdtempSync(join(tmpdir(), 'cellstream-evaluate-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('evaluate of the shipped model', () => {
  test('beats persistence and ridge at every horizon, and int8 costs at most 1 %', async () => {
    const report = await runJson('evaluate', model, '--data', data);
    expect(Object.keys(report)).toEqual(
      expect.arrayContaining(['n', 'horizons', 'at', 'baselines', 'float', 'int8', 'streams']),
    );
    expect(report.horizons).toEqual(report.int8);
    expect(Object.keys(report.streams)).toEqual(['EWR', 'JFK', 'LGA']);
    for (const h of ['1', '6', '24']) {
      const { mse, mae } = report.int8[h];
      const { persistence, ridge } = report.baselines;
      expect(report.n[h]).toBeGreaterThan(5000);
      expect(mae).toBeLessThan(persistence[h].mae);
      expect(mse).toBeLessThan(persistence[h].mse);
      expect(mse).toBeLessThan(1.05 * ridge[h].mse);
      expect(mse).toBeLessThan(1.01 * report.float[h].mse);
    }
    // the reference figures of JFK count held targets, ours only those that were read
    const { JFK } = report.streams;
    expect(JFK.n['24']).toBe(1709);
    expect(JFK.int8['24'].mse).toBeLessThan(JFK.baselines.ridge['24'].mse);
    expect(Object.keys(JFK)).toEqual(expect.arrayContaining(['horizons', 'at', 'float', 'int8']));
  });

  test('steps the very bits of sessions that are fed the rows of the file one by one', () => {
    const { names, periodMs } = engine.model.input;
    const dataset = loadDataset(data, { features: names, time: 'time_hour', stream: 'origin', periodMs });
    const rows: Record<string, string>[] = parse(readFileSync(data), { columns: true });
    const number = (text: string) => (text === 'NA' ? Number.NaN : Number(text));
    const online = new Map<string, number[]>();
    const sessions = new Map<string, ReturnType<Engine['openSession']>>();
    for (const row of rows) {
      const stream = row.origin;
      const session = sessions.get(stream) ?? engine.openSession(stream);
      sessions.set(stream, session);
      const values = names.map((name) => number(row[name]));
      const answer = session.step({ timeMs: Date.parse(row.time_hour), values });
      const answers = online.get(stream) ?? [];
      online.set(stream, answers);
      if (answer.kind === 'forecast') answers.push(answer.at(1), answer.at(24));
    }
    // what scoreEngine sees, caught between the engine and the score
    const offline = new Map<string, number[]>();
    const listening: Engine = {
      ...engine,
      openSession(stream = '') {
        const session = engine.openSession(stream);
        const answers: number[] = [];
        offline.set(stream, answers);
        const step: typeof session.step = (frame) => {
          const answer = session.step(frame);
          if (answer.kind === 'forecast') answers.push(answer.at(1), answer.at(24));
          return answer;
        };
        return { ...session, step };
      },
    };
    const { trainEndMs, validationEndMs, testEndMs } = engine.model.training;
    const split = {
      start: dataset.series[0].firstSlot,
      trainEnd: trainEndMs / periodMs,
      validationEnd: validationEndMs / periodMs,
      end: testEndMs / periodMs,
    };
    scoreEngine(listening, { dataset, split, part: 'test' });
    expect(offline.size).toBe(3);
    for (const [stream, answers] of offline) expect(online.get(stream)).toEqual(answers);
  });

  test('refuses data without the columns, without the part, and a damaged model', async () => {
    const other = join(folder, 'other.csv');
    writeFileSync(other, 'time_hour,origin,temp,dew,pressure\n2013-01-01T06:00:00Z,JFK,1,2,3\n');
    expect(await runHere('evaluate', model, '--data', other)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^cellstream: .*dewp.*did you mean .*dew/),
    });
    const early = join(folder, 'early.csv');
    const lines = readFileSync(data, 'utf8').split('\n');
    writeFileSync(early, lines.slice(0, 3000).join('\n'));
    expect(await runHere('evaluate', model, '--data', early)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/none in the model's test part/),
    });
    const damaged = join(folder, 'damaged.pb');
    const bytes = Uint8Array.from(readFileSync(model));
    bytes[Math.floor(bytes.length / 10)] ^= 4;
    writeFileSync(damaged, bytes);
    expect(await runHere('evaluate', damaged, '--data', data)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^cellstream: .*damaged\.pb: /),
    });
  });

  test('refuses data whose target is empty in the part', async () => {
    const gaps = join(folder, 'gaps.csv');
    const [header, ...lines] = readFileSync(data, 'utf8').trimEnd().split('\n');
    const emptied = lines.map((line) => {
      const cells = line.split(',');
      if ((cells.at(-1) ?? '') > '2013-10-19') cells[5] = 'NA';
      return cells.join(',');
    });
    writeFileSync(gaps, [header, ...emptied].join('\n'));
    expect(await runHere('evaluate', model, '--data', gaps)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no reading of the target in the test part.*nothing to score/),
    });
  });

  test('compares with a float twin only', async () => {
    const { writeBoilers } = await import('./small-data.ts');
    const out = join(folder, 'other');
    await runJson('train', writeBoilers(folder), '--out', out);
    const args = ['evaluate', model, '--data', data, '--float', join(out, 'boilers.float.pb')];
    expect(await runHere(...args)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /boilers\.float\.pb is no float twin of nyc-weather: it is of another training/,
      ),
    });
    expect(await runHere('evaluate', model, '--data', data, '--float', model)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/it holds integers/),
    });
  });

  test('leaves ridge out, with a warning, where the data has no training rows', async () => {
    const late = join(folder, 'late.csv');
    const [header, ...lines] = readFileSync(data, 'utf8').trimEnd().split('\n');
    const recent = lines.filter((line) => (line.split(',').at(-1) ?? '') > '2013-10-01');
    writeFileSync(late, [header, ...recent].join('\n'));
    const { code, stdout, stderr } = await runHere('evaluate', model, '--data', late, '--json');
    expect(code).toBe(0);
    expect(stderr).toMatch(/no ridge baseline/);
    const report = JSON.parse(stdout);
    expect(report.baselines.ridge).toEqual({});
    // and MASE, which measures errors in those of the training part
    expect(report.int8['24']).not.toHaveProperty('mase');
    expect(stdout).not.toContain('null');
    // two weeks of warming leave the score close to that of a warm start
    expect(report.int8['24'].mse).toBeLessThan(report.baselines.persistence['24'].mse);
  });
});

describe('inspect', () => {
  test('counts the parameters of the LSTM by the formula and proves the model', async () => {
    const report = await runJson('inspect', model);
    const [I, H] = [3 * 26, 48];
    expect(report).toMatchObject({
      ...{ id: engine.id, cell: 'lstm', layers: 1, hidden: H, selfTest: 'passed' },
      parameters: 4 * (H * I + H * H + H),
      bytes: readFileSync(model).length,
    });
    expect(report.stepUs).toBeGreaterThan(0);
  });

  test('names what is wrong with a file that is no model', async () => {
    expect(await runHere('inspect', data)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^cellstream: .*weather\.csv: .*expected/),
    });
  });
});

describe('gradients', () => {
  test('measures every cell back in time and draws it', async () => {
    const { writeBoilers } = await import('./small-data.ts');
    const report = await runJson('gradients', writeBoilers(folder), '--steps', '20', '--out', folder);
    expect(Object.keys(report.cells)).toEqual(['rnn', 'lstm', 'gru']);
    for (const { norms, untrained } of Object.values<{ norms: number[]; untrained: number[] }>(
      report.cells,
    )) {
      expect(norms).toHaveLength(20);
      expect(norms.every((norm) => norm > 0)).toBe(true);
      expect(untrained[19]).toBeLessThan(untrained[0]);
    }
    // the vanishing gradient of the plain cell, and what the forget gate saves of it
    const faded = ({ untrained }: { untrained: number[] }) => untrained[19] / untrained[0];
    expect(faded(report.cells.rnn)).toBeLessThan(faded(report.cells.lstm));
    expect(readFileSync(join(folder, 'gradients.svg'), 'utf8')).toMatch(/^<svg /);
  });
});
