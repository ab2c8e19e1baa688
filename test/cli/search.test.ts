import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { orUntried } from '../../src/cli/search.ts';
import { DataError } from '../../src/data/data-error.ts';
import { purpose, uniform } from '../../src/math/random.ts';
import { readModelFile } from '../../src/model/format.ts';
import { TrainingError } from '../../src/train/training-error.ts';
import { boilerCsv, runHere, runJson } from './small-data.ts';

let folder: string;
let csv: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cellstream-search-'));
  csv = join(folder, 'boilers.csv');
  // a constant, a calendar and words are no inputs
  const [header, ...rows] = boilerCsv(500).trim().split('\n');
  const swings: Record<string, number> = { north: 0.3, south: 0.6 };
  const widened = rows.map((row, i) => {
    const [time, boiler, temp, flow] = row.split(',');
    // the logistic map: no ridge can tell what comes next
    swings[boiler] = 3.7 * swings[boiler] * (1 - swings[boiler]);
    // an alarm that never rang in the training part
    const alarm = i > 0.9 * rows.length ? 1 : 0;
    return [
      time,
      boiler,
      (Number(temp) + 3 * swings[boiler]).toFixed(2),
      flow,
      7,
      i % 24,
      'on',
      alarm,
    ].join();
  });
  writeFileSync(csv, `${[`${header},room,hour,state,alarm`, ...widened].join('\n')}\n`);
});

afterAll(() => rmSync(folder, { recursive: true }));

interface Trial {
  readonly label: string;
  readonly whole: string;
  readonly validation: number;
}

/** A series x[t + 1] = next(x, noise), without a season. */
function writeSeries(name: string, seed: number, next: (x: number[], noise: number) => number): string {
  const x = [0.1, 0.2];
  const lines = ['time,level'];
  for (let i = 0; i < 600; i++) {
    x.push(next(x.slice(-2), uniform(seed, purpose.weights, i, 0, 0) - 0.5));
    lines.push(`${new Date(1.7e12 + i * 600_000).toISOString()},${x[i + 2].toFixed(4)}`);
  }
  const path = join(folder, `${name}.csv`);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

/** Trains the recipe that a search has left. @returns whether both files are the same, byte for byte */
async function givesTheSame(name: string, out: string): Promise<boolean> {
  const again = `${out}-again`;
  await runJson('train', join(out, 'recipe.yaml'), '--out', again);
  return [`${name}.pb`, `${name}.float.pb`].every((file) =>
    readFileSync(join(again, file)).equals(readFileSync(join(out, file))),
  );
}

test('a candidate that cannot be trained is passed over, and a fault of ours is not', () => {
  const warnings: string[] = [];
  const tryOut = (attempt: () => number) =>
    orUntried('+ flow', { warn: (line) => warnings.push(line) }, attempt);
  const failWith = (error: Error) => () => {
    throw error;
  };
  expect(tryOut(() => 7)).toBe(7);
  expect(tryOut(failWith(new TrainingError('loss NaN')))).toBeUndefined();
  expect(tryOut(failWith(new DataError('too few rows')))).toBeUndefined();
  expect(warnings).toEqual(['not taken: + flow; loss NaN', 'not taken: + flow; too few rows']);
  expect(() => tryOut(failWith(new TypeError('a bug')))).toThrow('a bug');
});

// so many trainings take their time beside other work
describe('train without a recipe', { timeout: 240_000 }, () => {
  test('tries ridges and networks, takes the best on validation, and says so', async () => {
    const out = join(folder, 'a');
    const options = ['--target', 'temp', '--stream', 'boiler', '--horizon', '3'];
    const { trials, chosen, why, validation } = await runJson('train', csv, ...options, '--out', out);
    expect(trials.map(({ label }: Trial) => label)).toEqual([
      'ridge own96',
      'ridge all12 with flow',
      'a network',
      '+ one state in place of one a phase',
      '+ the frozen ridge own96',
      '+ flow',
      '+ absolute errors, more dropout',
      '+ twice as many units',
      '+ the ridge own96, the mean of both',
      '+ the mean of 3 seeds',
    ]);
    // bits are the same everywhere, and so is the choice
    expect(chosen).toBe('+ the ridge own96, the mean of both');
    const winner = trials.find(({ label }: Trial) => label === chosen);
    expect(winner.whole).toBe(
      'a network + flow + absolute errors, more dropout + twice as many units + the ridge own96, the mean of both',
    );
    // three times the units would have to be worth more
    const least = Math.min(...trials.map((trial: Trial) => trial.validation));
    expect(winner.validation).toBeLessThan(least / 0.995);
    expect(validation.float[3].mse).toBe(winner.validation);
    expect(why).toMatch(/^Validation chose a network \+ flow .*% below that of the best ridge alone/);
    const card = readFileSync(join(out, 'card/README.md'), 'utf8');
    expect(card).toContain(why);
    for (const { label } of trials) expect(card).toContain(`| ${label} | `);
    expect(card).not.toMatch(/second/);

    const { highway, architecture } = readModelFile(readFileSync(join(out, 'boilers.pb'))).model;
    expect(highway?.window).toBe(96);
    expect(architecture).toMatchObject({ cell: 'lstm', hidden: 64 });
    expect(await givesTheSame('boilers', out)).toBe(true);
  });

  test('chooses a ridge alone where no network is better', async () => {
    const path = writeSeries('noise', 1, ([, x], noise) => 10 * Math.sin(x) + 3 * noise);
    const out = join(folder, 'ridge');
    const { trials, chosen, why, quantization } = await runJson(
      ...['train', path, '--target', 'level', '--horizon', '2', '--out', out, '--seed', '9', '--refit'],
    );
    expect(trials.map(({ label }: Trial) => label)).not.toContain('+ one state in place of one a phase');
    expect(chosen).toBe('ridge own96');
    expect(why).toContain('Validation chose ridge own96. Its error is as large as that of the best network');
    expect(quantization).toBeUndefined();
    const recipe = readFileSync(join(out, 'recipe.yaml'), 'utf8');
    expect(recipe).toMatch(/model:\n {2}cell: none\n {2}highway: own96\ntraining:\n {2}refit: true\n$/);
    expect(await givesTheSame('noise', out)).toBe(true);
  });

  test('tries no more than its budget allows, and always the ridges and a network', async () => {
    const out = join(folder, 'c');
    const options = ['--target', 'temp', '--stream', 'boiler', '--horizon', '3', '--budget', '1ms'];
    const { trials } = await runJson('train', csv, ...options, '--out', out);
    expect(trials.map(({ label }: Trial) => label)).toEqual([
      'ridge own96',
      'ridge all12 with flow',
      'a network',
    ]);
  });

  test.each([
    [['--budget', 'soon'], 'Expected a duration such as 90s, 10m or 1h.'],
    [['--resume'], '--resume goes on with a recipe: train'],
  ])('refuses %j', async (more, expected) => {
    const { code, stderr } = await runHere(
      'train',
      csv,
      '--target',
      'temp',
      ...more,
      '--out',
      join(folder, 'd'),
    );
    expect(code).toBe(2);
    expect(stderr).toContain(expected);
  });
});
