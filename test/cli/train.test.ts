import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { purpose, uniform } from '../../src/math/random.ts';
import { readModelFile } from '../../src/model/format.ts';
import { boilerCsv, boilerRecipe, runHere, runJson, writeBoilers } from './small-data.ts';

let folder: string;
let recipe: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cellstream-train-'));
  recipe = writeBoilers(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const bytesOf = (...path: string[]) => readFileSync(join(folder, ...path));

describe('train', () => {
  test('writes both models and a card, and says how good they are', async () => {
    const out = join(folder, 'out');
    const report = await runJson('train', recipe, '--out', out);
    expect(readdirSync(out).sort()).toEqual(['boilers.float.pb', 'boilers.pb', 'card']);
    expect(readdirSync(join(out, 'card'))).toEqual(
      expect.arrayContaining(['README.md', 'forecast.svg', 'horizons.svg', 'loss.svg', 'quantization.svg']),
    );
    // 2 features, season 6: 6 lags and 2 averages each
    expect(report).toMatchObject({
      model: join(out, 'boilers.pb'),
      parameters: 4 * (6 * 16 + 6 * 6 + 6),
      epochs: 12,
      fit: true,
    });
    for (const key of ['seconds', 'timestepsPerSecond']) expect(report[key]).toBeGreaterThan(0);
    for (const part of ['validation', 'test']) expect(Object.keys(report[part].int8)).toEqual(['1', '3']);
    expect(report.test.int8['3'].mse).toBeLessThan(0.5 * report.baselines.persistence['3'].mse);
    const { model } = readModelFile(bytesOf('out', 'boilers.pb'));
    expect(model.architecture).toEqual({ cell: 'lstm', layers: 1, hidden: 6, phases: 6, segment: 0 });
    expect(model.input.season).toBe(6);
    expect(model.layers[0].inputWeights.kind).toBe('int8');
    // calibrated on validation, with nothing left to keep
    expect(Math.abs(report.validation.int8['3'].coverage80 - 0.8)).toBeLessThan(0.02);
    expect(model.output.quantiles).toEqual([0.1, 0.5, 0.9]);
    expect(model.input.swing?.constant).toBe(336);
    expect(model.calibration.levels).toEqual([]);
    expect(Object.keys(report.test.int8['3'])).toEqual(
      expect.arrayContaining(['coverage80', 'winkler80', 'pinball', 'crps']),
    );
  });

  test('keeps residuals for the intervals of a network that answers points', async () => {
    const points = join(folder, 'points.yaml');
    writeFileSync(points, boilerRecipe({ name: 'points', quantiles: '[]' }));
    const report = await runJson('train', points, '--out', join(folder, 'points'));
    const { model } = readModelFile(bytesOf('points', 'points.pb'));
    expect([model.output.quantiles, model.input.swing]).toEqual([[], undefined]);
    expect(model.calibration.levels).toHaveLength(9);
    expect(Math.abs(report.validation.int8['3'].coverage80 - 0.8)).toBeLessThan(0.02);
  });

  test('gives the same bytes again, and others from another seed', async () => {
    await runJson('train', recipe, '--out', join(folder, 'again'));
    await runJson('train', recipe, '--out', join(folder, 'other'), '--seed', '4');
    expect(bytesOf('again', 'boilers.pb').equals(bytesOf('out', 'boilers.pb'))).toBe(true);
    expect(bytesOf('again', 'boilers.float.pb').equals(bytesOf('out', 'boilers.float.pb'))).toBe(true);
    expect(bytesOf('other', 'boilers.pb').equals(bytesOf('out', 'boilers.pb'))).toBe(false);
  });

  test('killed in the middle and resumed gives the bytes of a training in one piece', async () => {
    const long = join(folder, 'long.yaml');
    const training = '{ epochs: 60, batch: 8, chunk: 8, dropout: 0.1, seed: 3 }';
    writeFileSync(long, boilerRecipe({ name: 'long', training }));
    await runJson('train', long, '--out', join(folder, 'whole'));

    const out = join(folder, 'killed');
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', main, 'train', long, '--out', out, '--quiet']);
    const checkpoint = 'long.checkpoint.json';
    const watcher = watch(folder, { recursive: true }, (_, file) => {
      if (file?.endsWith(checkpoint) && existsSync(join(out, checkpoint))) child.kill('SIGKILL');
    });
    const [, signal] = await once(child, 'exit');
    watcher.close();
    expect(signal).toBe('SIGKILL');
    expect(readdirSync(out)).toContain(checkpoint);
    expect(JSON.parse(readFileSync(join(out, checkpoint), 'utf8')).history.length).toBeLessThan(61);

    await runJson('train', long, '--out', out, '--resume');
    expect(bytesOf('killed', 'long.pb').equals(bytesOf('whole', 'long.pb'))).toBe(true);
    expect(bytesOf('killed', 'long.float.pb').equals(bytesOf('whole', 'long.float.pb'))).toBe(true);
    expect(readdirSync(out)).not.toContain(checkpoint);
  });

  test('needs no recipe for a CSV', async () => {
    const csv = join(folder, 'one.csv');
    const lines = boilerCsv().split('\n');
    writeFileSync(csv, [lines[0], ...lines.filter((line) => line.includes('north'))].join('\n'));
    const report = await runJson(
      'train',
      csv,
      '--target',
      'temp',
      '--horizon',
      '2',
      '--out',
      join(folder, 'one'),
    );
    expect(Object.keys(report.int8)).toEqual(['2']);
    expect(report.int8['2'].mse).toBeLessThan(report.baselines.persistence['2'].mse);
  });

  test.each(['feedforward', 'rnn', 'gru'])('trains a %s to better than persistence', async (cell) => {
    const report = await runJson('train', recipe, '--cell', cell, '--out', join(folder, cell));
    expect(report.test.int8['3'].mse).toBeLessThan(report.baselines.persistence['3'].mse);
    expect(report.quantization).toBeUndefined();
  });

  test.each([
    ['two layers', { model: '{ hidden: 6, layers: 2 }' }],
    ['an answer every segment', { model: '{ hidden: 6, output: last, segment: 12 }' }],
    ['two targets', { target: '[temp, flow]' }],
    ['channels of their own', { target: '[temp, flow]', share: 'channels' }],
    ['12 bits', { model: '{ hidden: 6, wide: true }' }],
    ['a mask of what is missing', { mask: 'true' }],
  ])('trains and evaluates %s', async (name, changes) => {
    const path = join(folder, 'variant.yaml');
    writeFileSync(path, boilerRecipe({ name: 'variant', ...changes }));
    const out = join(folder, name.replaceAll(' ', '-'));
    const { test: trained } = await runJson('train', path, '--out', out);
    expect(trained.int8['1'].mse).toBeLessThan(trained.baselines.persistence['1'].mse);
    const scored = await runJson('evaluate', join(out, 'variant.pb'), '--data', join(folder, 'boilers.csv'));
    expect(scored.int8).toEqual(trained.int8);
    expect(scored.float).toEqual(trained.float);
    expect(scored.baselines).toMatchObject(trained.baselines);
    expect(scored.n).toEqual(trained.n);
  });
});

describe('train with awkward data', () => {
  test('goes on when the first stream of the file ended before validation', async () => {
    const lines = boilerCsv().split('\n');
    const alive = lines.filter((line, i) => i < 300 || !line.includes('north'));
    writeFileSync(join(folder, 'dead.csv'), alive.join('\n'));
    const path = join(folder, 'dead.yaml');
    writeFileSync(path, boilerRecipe({ name: 'dead', data: 'dead.csv' }));
    const report = await runJson('train', path, '--out', join(folder, 'dead'));
    expect(report.test.int8['3'].mse).toBeLessThan(report.baselines.persistence['3'].mse);
    expect(JSON.stringify(report)).not.toContain('null');
    expect(report.quantization.hidden).toBeGreaterThan(0);
    expect(readFileSync(join(folder, 'dead/card/forecast.svg'), 'utf8')).toContain('south');
  });

  test('learns from a month of hours with nothing but its default settings', async () => {
    const lines = ['when,load'];
    for (let i = 0; i < 720; i++) {
      const noise = uniform(5, purpose.weights, i, 0, 0) - 0.5;
      const load = 10 + 4 * Math.sin((2 * Math.PI * i) / 24) + 0.4 * noise;
      lines.push(`${1.7e9 + 3600 * i},${load.toFixed(3)}`);
    }
    writeFileSync(join(folder, 'month.csv'), lines.join('\n'));
    const args = ['--target', 'load', '--time', 'when', '--out', join(folder, 'month')];
    const report = await runJson('train', join(folder, 'month.csv'), ...args);
    expect(report.fit).toBe(true);
    expect(report.int8['24'].mse).toBeLessThan(report.baselines.seasonal['24'].mse);
  });

  test('warns of rows that repeat a time, and refuses two sensors in one stream', async () => {
    const [header, ...rows] = boilerCsv().trimEnd().split('\n');
    const north = rows.filter((line) => line.includes('north'));
    const path = join(folder, 'repeats.csv');
    const args = ['train', path, '--target', 'temp', '--horizon', '2', '--out', join(folder, 'repeats')];
    writeFileSync(path, [header, ...north.slice(0, 3), north[2], ...north.slice(3)].join('\n'));
    const once = await runHere(...args);
    expect(once).toMatchObject({ code: 0, stderr: expect.stringMatching(/1 of \d+ rows repeat the time/) });
    writeFileSync(
      path,
      [header, ...north.flatMap((line) => [line, line.replace('north', 'south')])].join('\n'),
    );
    expect(await runHere(...args)).toMatchObject({ code: 2, stderr: expect.stringMatching(/--stream/) });
  });

  test('forgets the window of a feedforward recipe when another cell is asked for', async () => {
    const path = join(folder, 'window.yaml');
    writeFileSync(
      path,
      boilerRecipe({ name: 'window', model: '{ cell: feedforward, hidden: 6, segment: 8 }' }),
    );
    const out = join(folder, 'window');
    await runJson('train', path, '--cell', 'lstm', '--out', out);
    const report = await runJson('evaluate', join(out, 'window.pb'), '--data', join(folder, 'boilers.csv'));
    expect(report.n['1']).toBeGreaterThan(100);
  });

  test('proves a model that answers only every 100 frames', async () => {
    const path = join(folder, 'rare.yaml');
    const model = '{ hidden: 6, output: last, segment: 100 }';
    writeFileSync(path, boilerRecipe({ name: 'rare', model }));
    await runJson('train', path, '--out', join(folder, 'rare'));
    const { golden } = readModelFile(bytesOf('rare', 'rare.pb')).model;
    expect(golden.timesMs.length).toBeGreaterThanOrEqual(100);
    expect(golden.outputs.some((value) => value !== 0)).toBe(true);
  });
});

describe('train refuses', () => {
  const bad: [string, Readonly<Record<string, string>>, string | undefined, RegExp][] = [
    [
      'a horizon beyond the test part',
      { horizons: '[150]' },
      undefined,
      /nothing to score in the validation part.*150 frames after it/,
    ],
    [
      'a segment beyond the data',
      { model: '{ output: last, segment: 900 }' },
      undefined,
      /every 900 frames: nothing to score in the validation part/,
    ],
    [
      'too few answers of a segment',
      { model: '{ output: last, segment: 400 }' },
      undefined,
      /every 400 frames/,
    ],
    ['a misspelt key', { traning: '{}' }, undefined, /bad\.yaml:\d+: traning: .*did you mean "training"/],
    ['a missing file', { data: 'boiler.csv' }, undefined, /boiler\.csv.*did you mean .*boilers\.csv/],
    ['a wrong column', { target: 'tmep', features: '[tmep, flow]' }, undefined, /tmep.*did you mean .*temp/],
    ['an empty file', { data: 'bad.csv' }, '', /bad\.csv.*empty/],
    ['a header alone', { data: 'bad.csv' }, 'time,boiler,temp,flow\n', /bad\.csv/],
    [
      'times that go backwards',
      { data: 'bad.csv' },
      [...boilerCsv(50).split('\n')].reverse().join('\n').replace(/^\n?/, 'time,boiler,temp,flow\n'),
      /bad\.csv.*line \d+/,
    ],
    [
      'a constant column',
      { data: 'bad.csv' },
      boilerCsv(300).replace(/,\d*\.?\d*$/gm, ',1'),
      /flow.*never changes/,
    ],
    [
      'a target of gaps',
      { data: 'bad.csv' },
      boilerCsv(300).replace(/(north|south),[\d.]+,/g, '$1,,'),
      /temp.*only gaps/,
    ],
  ];

  test.each(bad)('%s with one line and exit code 2', async (_, changes, csv, message) => {
    if (csv !== undefined) writeFileSync(join(folder, 'bad.csv'), csv);
    const path = join(folder, 'bad.yaml');
    writeFileSync(path, boilerRecipe(changes));
    const { code, stdout, stderr } = await runHere('train', path, '--out', join(folder, 'bad'));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const complaints = stderr.split('\n').filter((line) => line.startsWith('cellstream: '));
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toMatch(message);
  });

  test.each([
    ['a file in place of the folder', 'boilers.csv'],
    ['a file above the folder', 'boilers.csv/out'],
    ['no name', ''],
  ])('an --out that is %s, before any work', async (_, out) => {
    const { code, stderr } = await runHere('train', recipe, '--out', out && join(folder, out));
    expect(code).toBe(2);
    expect(stderr).toMatch(/^cellstream: .*--out/);
  });

  test('to resume the checkpoint of another recipe', async () => {
    const out = join(folder, 'foreign');
    const path = join(folder, 'boilers.yaml');
    writeFileSync(path, boilerRecipe({ training: '{ epochs: 3, batch: 8, chunk: 8 }' }));
    await runJson('train', path, '--out', out);
    writeFileSync(join(out, 'boilers.checkpoint.json'), JSON.stringify({ identity: 'another' }));
    const { code, stderr } = await runHere('train', path, '--out', out, '--resume');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/another recipe or other data/),
    });
  });

  test('weights that diverge with exit code 1 and the way out', async () => {
    const path = join(folder, 'wild.yaml');
    const training = '{ epochs: 4, batch: 8, chunk: 8, learningRate: 1, clip: 1e6, loss: mse }';
    writeFileSync(
      path,
      boilerRecipe({ training: training.replace('loss: mse', 'loss: mse, weightDecay: 9') }),
    );
    const { code, stderr } = await runHere('train', path, '--out', join(folder, 'wild'));
    expect(stderr).toMatch(/diverged in epoch \d+.*learningRate/);
    expect(code).toBe(1);
  });
});
