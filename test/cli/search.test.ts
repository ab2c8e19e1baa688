import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { boilerCsv, runHere, runJson } from './small-data.ts';

let folder: string;
let csv: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cellstream-search-'));
  csv = join(folder, 'boilers.csv');
  // a constant, a calendar and words are no inputs
  const [header, ...rows] = boilerCsv(500).trim().split('\n');
  const widened = rows.map((row, i) => `${row},7,${i % 24},on`);
  writeFileSync(csv, `${[`${header},room,hour,state`, ...widened].join('\n')}\n`);
});

afterAll(() => rmSync(folder, { recursive: true }));

interface Trial {
  readonly label: string;
  readonly validation: number;
}

describe('train without a recipe', () => {
  test('tries a few, takes the best on validation, and leaves a recipe that gives the same bytes', async () => {
    const out = join(folder, 'a');
    const options = ['--target', 'temp', '--stream', 'boiler', '--horizon', '3'];
    const { trials, validation } = await runJson('train', csv, ...options, '--out', out);
    expect(trials.map(({ label }: Trial) => label)).toEqual([
      'the target alone',
      'with flow',
      'absolute errors, more dropout',
      'twice as many units',
    ]);
    const best = Math.min(...trials.map((trial: Trial) => trial.validation));
    expect(validation.int8[3].mse).toBe(best);

    const again = join(folder, 'b');
    await runJson('train', join(out, 'recipe.yaml'), '--out', again);
    for (const file of ['boilers.pb', 'boilers.float.pb']) {
      expect(readFileSync(join(again, file)).equals(readFileSync(join(out, file)))).toBe(true);
    }
  });

  test('tries no more than its budget allows, and always the first', async () => {
    const out = join(folder, 'c');
    const options = ['--target', 'temp', '--stream', 'boiler', '--horizon', '3', '--budget', '1ms'];
    const { trials } = await runJson('train', csv, ...options, '--out', out);
    expect(trials.map(({ label }: Trial) => label)).toEqual(['the target alone']);
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
