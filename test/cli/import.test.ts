import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../../src/engine/engine.ts';
import { readSafetensors } from '../../src/import/safetensors.ts';
import { readModelFile } from '../../src/model/format.ts';
import { safetensors } from '../import/files.ts';
import { readWeights, specText } from '../import/imported.ts';
import { boilerCsv, runHere, runJson } from './small-data.ts';

const lstm = 'lstm-1.safetensors'; // 2 features, 3 outputs
const gru = 'gru-1.safetensors'; // 2 features, 2 outputs
const boilers = {
  features: '[{ name: temp, mean: 61, scale: 3.5 }, { name: flow, mean: 3, scale: 0.75 }]',
  ...{ target: 'temp', period: '10m', time: 'time', stream: 'boiler' },
};

let folder: string;
const at = (...path: string[]) => join(folder, ...path);
/** The weights of a fixture and a spec for them, as files. */
function files(file: string, changes: Readonly<Record<string, string>> = {}): [string, string, string] {
  const spec = at(`${file}.yaml`);
  writeFileSync(at(file), readWeights(file));
  writeFileSync(spec, specText(file, changes));
  return [at(file), '--spec', spec];
}
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cellstream-import-'));
  writeFileSync(at('boilers.csv'), boilerCsv());
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('import', () => {
  test('writes a float and an int8 model that prove themselves, and says how far they are apart', async () => {
    const report = await runJson('import', ...files(lstm), '--out', at('plain'));
    expect(readdirSync(at('plain')).sort()).toEqual(['imported.float.pb', 'imported.pb']);
    expect(report).toMatchObject({
      ...{ model: at('plain', 'imported.pb'), float: at('plain', 'imported.float.pb') },
      ...{ cell: 'lstm', layers: 1, hidden: 16, steps: 3, horizons: [3], calibrated: false },
      int8: { on: 'invented readings', frames: 2000, wide: false },
    });
    expect(report.int8.output).toBeGreaterThan(0);
    expect(report.int8.output).toBeLessThan(0.005);
    const engine = await loadModel(readFileSync(report.model));
    expect(engine.id).toBe(report.id);
    expect(engine.model.layers[0].inputWeights.kind).toBe('int8');
    expect(JSON.parse(engine.model.training.metrics).quantization.output).toBe(report.int8.output);
    const inspected = await runJson('inspect', report.model);
    expect(inspected).toMatchObject({ selfTest: 'passed', cell: 'lstm', targets: ['f0'] });
  });

  test('gives the same bytes again', async () => {
    await runJson('import', ...files(lstm), '--out', at('again'));
    for (const name of readdirSync(at('plain')))
      expect(readFileSync(at('again', name)).equals(readFileSync(at('plain', name)))).toBe(true);
  });

  test('takes intervals and the cost of int8 from data, and evaluate reads data for it', async () => {
    const early = boilerCsv().split('\n').slice(0, 900).join('\n');
    writeFileSync(at('early.csv'), early);
    const args = [...files(lstm, boilers), '--calibrate', at('early.csv'), '--out', at('calibrated')];
    const report = await runJson('import', ...args);
    expect(report).toMatchObject({ calibrated: true, int8: { on: at('early.csv'), wide: false } });
    expect(Math.abs(report.int8.cost)).toBeLessThan(0.01);
    const { model } = readModelFile(readFileSync(report.model));
    expect(model.calibration.levels).toContain(0.1);
    // what comes after the data that it was calibrated on
    const scores = await runJson('evaluate', report.model, '--data', at('boilers.csv'));
    expect(scores.n['3']).toBeGreaterThan(100);
    expect(scores.int8['3'].mse).toBeGreaterThan(0);
    expect(scores.float['3'].mse).toBeCloseTo(scores.int8['3'].mse, 1);
  });

  test('leaves a GRU in float32, without an older int8 model beside it', async () => {
    await runJson('import', ...files(lstm), '--out', at('replaced'));
    const report = await runJson('import', ...files(gru), '--out', at('replaced'));
    expect(readdirSync(at('replaced'))).toEqual(['imported.float.pb']);
    expect(report).toMatchObject({ model: at('replaced', 'imported.float.pb'), cell: 'gru' });
    expect(report.int8).toBeUndefined();
    const { stdout } = await runHere('import', ...files(gru), '--out', at('replaced'));
    expect(stdout).toContain('a gru stays in float32');
  });

  test('says in words what int8 costs', async () => {
    const { stdout, stderr } = await runHere('import', ...files(lstm), '--out', at('words'));
    expect(stdout).toMatch(
      /int8 against float on invented readings, 2000 frames on end: 0\.\d+ % of the outputs/,
    );
    expect(stderr).toBe('warning: no --calibrate data: forecasts have no intervals\n');
  });
});

describe('int8 that answers something else', () => {
  /** The network with recurrent weights so large that it runs into chaos. */
  function chaos(changes: Readonly<Record<string, string>>): readonly string[] {
    const [, ...spec] = files(lstm, changes);
    const tensors = [...readSafetensors(readWeights(lstm))].map(([name, tensor]) => {
      const { shape, values } = tensor.read();
      const grown = values.map((value) => (name.includes('hh') ? 40 : 1) * value);
      return [name, { dtype: 'F32', shape, bytes: new Uint8Array(grown.buffer) }] as const;
    });
    writeFileSync(at('chaos.safetensors'), safetensors(Object.fromEntries(tensors)));
    return [at('chaos.safetensors'), ...spec];
  }

  test('is refused with exit code 1; the float model is there', async () => {
    const args = [...chaos({ ...boilers, wide: 'false' }), '--calibrate', at('boilers.csv')];
    const { code, stderr } = await runHere('import', ...args, '--out', at('chaos'));
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /int8 is \d+\.\d % from float on .*boilers.csv, expected at most 10 %; .*imported.float.pb is written/,
    );
    expect(readdirSync(at('chaos'))).toEqual(['imported.float.pb']);
    await loadModel(readFileSync(at('chaos', 'imported.float.pb')));
  });
});

describe('a wrong import ends with exit code 2 and one line', () => {
  test.each<readonly [string, () => readonly string[], string]>([
    [
      'weights that are not there',
      () => [at('no.safetensors'), ...files(lstm).slice(1)],
      'there is no file of weights',
    ],
    [
      'a spec that is not there',
      () => [files(lstm)[0], '--spec', at('no.yaml')],
      'there is no spec of an import',
    ],
    [
      'weights cut short',
      () => {
        const args = files(lstm);
        writeFileSync(args[0], readWeights(lstm).subarray(0, 2000));
        return args;
      },
      `${lstm}: tensor rnn.weight_hh_l0: bytes 716..4812, expected them among`,
    ],
    [
      'another number of features',
      () => files(lstm, { features: '[{ name: f0, mean: 0, scale: 1 }]' }),
      `${lstm}: the network takes 2 inputs a frame, expected 1`,
    ],
    [
      'a wrong spec',
      () => files(lstm, { target: 'f9' }),
      `${lstm}.yaml:3: target: "f9" is not among the features`,
    ],
    ['data without its columns', () => [...files(lstm), '--calibrate', at('boilers.csv')], 'f0'],
    [
      'data with too few rows',
      () => {
        const rows = ['time,boiler,temp,flow', '2024-01-01T00:00Z,a,60,3', '2024-01-01T00:10Z,a,61,3'];
        writeFileSync(at('few.csv'), `${rows.join('\n')}\n`);
        return [...files(lstm, boilers), '--calibrate', at('few.csv')];
      },
      'too few rows, expected readings of every target at every step ahead',
    ],
  ])('%s', async (_, args, expected) => {
    const { code, stdout, stderr } = await runHere('import', ...args(), '--out', at('wrong'));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(expected);
    expect(stderr.trimEnd()).not.toContain('\n');
    expect(existsSync(at('wrong', 'imported.pb'))).toBe(false);
  });
});
