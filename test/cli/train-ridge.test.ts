import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prepareTraining } from '../../src/cli/prepare.ts';
import { trainModel } from '../../src/cli/train-model.ts';
import { readRecipe } from '../../src/cli/train-recipe.ts';
import { loadModel } from '../../src/engine/engine.ts';
import { readModelFile } from '../../src/model/format.ts';
import type { Model } from '../../src/model/model.ts';
import { boilerCsv, boilerRecipe, runHere, runJson } from './small-data.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cellstream-ridge-'));
  // enough windows of 336 for a map a stream
  writeFileSync(join(folder, 'boilers.csv'), boilerCsv(1150));
});
afterAll(() => rmSync(folder, { recursive: true }));

const csv = () => join(folder, 'boilers.csv');
const alone = { training: '{}' };

function writeRecipe(name: string, changes: Readonly<Record<string, string>>): string {
  const path = join(folder, `${name}.yaml`);
  writeFileSync(path, boilerRecipe({ name, ...changes }));
  return path;
}

const outOf = (name: string) => join(folder, name);
const modelOf = (name: string): Model => readModelFile(readFileSync(join(outOf(name), `${name}.pb`))).model;
const train = (name: string, changes: Readonly<Record<string, string>>) =>
  runJson('train', writeRecipe(name, changes), '--out', outOf(name));

describe('a ridge trained as a model', () => {
  const cases: [string, string, number, Readonly<Record<string, string>>][] = [
    ['own96', 'pooled', 1, {}],
    ['own336', 'pooled-336', 1, {}],
    ['own336each', 'a-map-a-stream', 3, {}],
    ['all12', 'of-all', 1, { target: '[flow, temp]' }],
    ['own96', 'two-targets', 1, { target: '[flow, temp]' }],
    ['own336each', 'maps-of-targets-and-streams', 3, { target: '[flow, temp]' }],
    ['own336', 'channels', 1, { target: '[temp, flow]', share: 'channels' }],
    ['own336each', 'a-map-a-channel', 5, { target: '[temp, flow]', share: 'channels' }],
  ];

  test.each(cases)(
    '%s (%s) has the errors of the ridge beside it, in %i groups',
    async (variant, name, groups, changes) => {
      const trained = await train(name, {
        // without a season missing values are held, as those of the baseline are
        ...{ ...changes, season: '1' },
        ...{ training: '{}', model: `{ cell: none, highway: ${variant} }` },
      });
      const scored = await runJson('evaluate', join(outOf(name), `${name}.pb`), '--data', csv());
      expect(scored.int8).toEqual(trained.int8);
      const ridge = scored.baselines.ridgeVariants[variant];
      for (const h of ['1', '3']) {
        expect(Math.abs(scored.int8[h].mse / ridge[h].mse - 1)).toBeLessThan(1e-5);
        expect(scored.int8[h].coverage80).toBeGreaterThan(0.7);
      }
      const model = modelOf(name);
      expect(model.architecture).toMatchObject({ cell: 'none', layers: 0, hidden: 0, phases: 1 });
      expect(model.highway?.bias.shape[0]).toBe(groups);
      expect(trained).toMatchObject({ parameters: 0, epochs: 0, fit: true });
      expect(trained.quantization).toBeUndefined();
    },
  );

  test('is better where missing values follow a season', async () => {
    const settings = { training: '{}', model: '{ cell: none, highway: own96 }' };
    const filled = await train('filled', settings);
    const { int8, baselines } = filled;
    expect(int8['3'].mse).toBeLessThan(0.9 * baselines.ridge['3'].mse);
  });

  test('answers a stream without a name by the mean of the maps', () => {
    const { highway } = modelOf('a-map-a-stream');
    const values = highway?.weights.values as Float32Array;
    const size = values.length / 3;
    for (let i = 0; i < size; i++) {
      expect(values[i]).toBeCloseTo((values[size + i] + values[2 * size + i]) / 2, 6);
    }
    expect(values.subarray(size, 2 * size)).not.toEqual(values.subarray(2 * size));
  });

  test('is described as one in its card', () => {
    const card = readFileSync(join(outOf('pooled'), 'card/README.md'), 'utf8');
    expect(card).toContain('A linear model (ridge) in float32');
    expect(card).toContain('The ridge `own96` is the whole model');
    expect(card).not.toContain('epochs');
    expect(card).not.toContain('loss.svg');
  });

  test('is not compared with itself', () => {
    const card = readFileSync(join(outOf('pooled-336'), 'card/README.md'), 'utf8');
    expect(card).toMatch(/The model is best at every horizon.* below persistence/);
  });

  test('needs rows enough for its window', async () => {
    writeFileSync(join(folder, 'few.csv'), boilerCsv(200));
    const model = '{ cell: none, highway: own336 }';
    const path = writeRecipe('few', { ...alone, model, data: 'few.csv' });
    const { code, stderr } = await runHere('train', path, '--out', outOf('few'));
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('no ridge own336') });
  });
});

describe('a network beside a frozen ridge', () => {
  test('keeps the weights of that ridge, and never falls behind it on validation', async () => {
    const training = '{ epochs: 12, batch: 8, chunk: 8, dropout: 0.1, seed: 3 }';
    const model = '{ hidden: 6, highway: own336each }';
    const report = await train('beside', { training, model, quantiles: '[]', season: '1' });
    const [beside, ridge] = [modelOf('beside'), modelOf('a-map-a-stream')];
    expect(beside.highway).toEqual(ridge.highway);
    expect(beside.architecture).toMatchObject({ cell: 'lstm', hidden: 6 });
    expect(beside.layers[0].bias.shape[0]).toBe(3);
    const scored = ['evaluate', join(outOf('a-map-a-stream'), 'a-map-a-stream.pb'), '--data', csv()];
    const { int8 } = await runJson(...scored, '--split', 'validation');
    expect(report.validation.float['3'].mse).toBeLessThan(1.001 * int8['3'].mse);
  });
});

describe('the mean of a network and a ridge', () => {
  test('answers the mean of what each of them answers alone', async () => {
    const training = '{ epochs: 3, batch: 8, chunk: 8, seed: 3 }';
    await train('network-alone', { training });
    await train('mean', { training, model: '{ hidden: 6, highway: own96, join: mean }' });
    const mean = await compareMean(['network-alone', 'filled'], 'mean');
    expect(mean).toBeLessThan(2e-5);
    const card = readFileSync(join(outOf('mean'), 'card/README.md'), 'utf8');
    expect(card).toContain('the mean of a network and of the ridge `own96`, each fitted alone');
  });
});

/** Streams some frames through the float models of trainings.
 * @returns the largest difference of the joined one's forecasts from the mean of the others' */
async function compareMean(names: readonly string[], joined: string): Promise<number> {
  const sessions = await Promise.all(
    [...names, joined].map(async (name) => {
      const engine = await loadModel(readFileSync(join(outOf(name), `${name}.float.pb`)));
      return engine.openSession('north');
    }),
  );
  let largest = 0;
  for (let i = 0; i < 60; i++) {
    const frame = { timeMs: 1.7e12 + i * 600_000, values: [60 + 5 * Math.sin(i), 3 + Math.cos(i)] };
    const answers = sessions.map((session) => {
      const answer = session.step(frame);
      return answer.kind === 'forecast' ? answer.at(3) : Number.NaN;
    });
    const own = answers.pop() as number;
    const mean = answers.reduce((sum, answer) => sum + answer, 0) / answers.length;
    largest = Math.max(largest, Math.abs(own - mean));
  }
  return largest;
}

describe('several seeds', () => {
  test('are one network that answers their mean', async () => {
    const training = (rest: string) => `{ epochs: 3, batch: 8, chunk: 8, ${rest} }`;
    const report = await train('joined', { training: training('seed: 3, seeds: 3') });
    expect(report.members.map(({ seed, epochs }: Record<string, number>) => [seed, epochs])).toEqual([
      [3, 3],
      [4, 3],
      [5, 3],
    ]);
    expect(report.epochs).toBe(9);
    expect(modelOf('joined').architecture.hidden).toBe(18);
    const seeds = [3, 4, 5];
    for (const seed of seeds) await train(`single-${seed}`, { training: training(`seed: ${seed}`) });
    const largest = await compareMean(
      seeds.map((seed) => `single-${seed}`),
      'joined',
    );
    expect(largest).toBeLessThan(2e-5);
  });
});

describe('a second fit', () => {
  const training = '{ epochs: 4, batch: 8, chunk: 8, seed: 3';

  test.each([
    ['a network', 'once', 'twice', { training: `${training} }` }, { training: `${training}, refit: true }` }],
    [
      'a ridge',
      'ridge-once',
      'ridge-twice',
      { ...alone, model: '{ cell: none, highway: own96 }' },
      { training: '{ refit: true }', model: '{ cell: none, highway: own96 }' },
    ],
  ])(
    'of %s takes validation in, and keeps the errors and intervals of the first',
    async (_, first, second, a, b) => {
      const once = await train(first, a);
      const twice = await train(second, b);
      const [before, after] = [modelOf(first), modelOf(second)];
      expect(twice.validation).toEqual(once.validation);
      expect(after.calibration).toEqual(before.calibration);
      expect(after.input.scalers).toEqual(before.input.scalers);
      expect(twice.test.int8).not.toEqual(once.test.int8);
      expect(twice.test.int8['3'].mse).toBeLessThan(1.1 * once.test.int8['3'].mse);
      const { periodMs } = before.input;
      expect(before.createdMs).toBe(before.training.trainEndMs - periodMs);
      expect(after.createdMs).toBe(after.training.validationEndMs - periodMs);
      const card = readFileSync(join(outOf(second), 'card/README.md'), 'utf8');
      expect(card).toContain('fitted once more, on training and validation together');
      const scored = await runHere(
        'evaluate',
        join(outOf(second), `${second}.pb`),
        '--data',
        csv(),
        '--split',
        'validation',
      );
      expect(scored.stderr).toContain('was fitted on validation too');
    },
  );

  test('keeps no checkpoint: resumed as the first one it would have seen validation', async () => {
    const path = writeRecipe('unseen', { training: `${training}, refit: true }` });
    const epochs: number[] = [];
    await trainModel(
      prepareTraining(readRecipe(path), () => {}),
      { events: { onEpoch: ({ epoch }) => epochs.push(epoch) }, stage: () => {} },
    );
    expect(epochs).toEqual([1, 2, 3, 4]);
  });

  test('is asked for by --refit with a CSV alone', async () => {
    const { code, stderr } = await runHere(
      'train',
      writeRecipe('asked', {}),
      '--refit',
      '--out',
      outOf('asked'),
    );
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('say training: { refit: true }'),
    });
  });
});

describe('what keeps no checkpoint or draws no number is refused', () => {
  const ridge = { ...alone, model: '{ cell: none, highway: own96 }' };
  test.each([
    ['--resume of a ridge', ridge, ['--resume'], 'cell: none is fitted in one go'],
    ['--resume of several seeds', { training: '{ seeds: 2 }' }, ['--resume'], '2 seeds keep no checkpoint'],
    ['--seed of a ridge', ridge, ['--seed', '4'], '--seed has nothing to do'],
  ])('%s', async (_, changes, options, expected) => {
    const path = writeRecipe('refused', changes);
    const { code, stderr } = await runHere('train', path, '--out', outOf('refused'), ...options);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(expected) });
  });
});
