import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { purpose, uniform } from '../../src/math/random.ts';
import { readModelFile } from '../../src/model/format.ts';
import { runHere } from './small-data.ts';

// no small recording makes int8 cost a percent: here it costs too much for any LSTM
vi.mock('../../src/quantize/export.ts', async (original) => {
  const real = await original<typeof import('../../src/quantize/export.ts')>();
  const { QuantizeError } = await import('../../src/quantize/quantize-model.ts');
  const exportModels: typeof real.exportModels = (model, ...rest) => {
    if (model.architecture.cell === 'lstm') throw new QuantizeError('int8 costs too much');
    return real.exportModels(model, ...rest);
  };
  return { ...real, exportModels };
});

const folder = mkdtempSync(join(tmpdir(), 'cellstream-refusal-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a search whose best network cannot be exported takes the best ridge, and says why', async () => {
  const lines = ['time,level'];
  const x = [0.1, 0.2];
  for (let i = 0; i < 600; i++) {
    x.push(1.6 * x[i + 1] - 0.8 * x[i] + uniform(2, purpose.weights, i, 0, 0) - 0.5);
    lines.push(`${new Date(1.7e12 + i * 600_000).toISOString()},${x[i + 2].toFixed(4)}`);
  }
  const path = join(folder, 'swing.csv');
  writeFileSync(path, lines.join('\n'));
  const args = ['train', path, '--target', 'level', '--horizon', '2', '--budget', '1ms', '--json'];
  const { code, stdout, stderr } = await runHere(...args, '--out', folder);
  expect(code).toBe(0);
  const { chosen, why, trials } = JSON.parse(stdout);
  expect(trials.map(({ label }: { label: string }) => label)).toEqual(['ridge own96', 'a network']);
  expect(trials[1].validation).toBeLessThan(trials[0].validation);
  expect(chosen).toBe('ridge own96');
  const refusal = 'Not taken: a network; int8 costs too much. ';
  expect(why.startsWith(`${refusal}Validation chose ridge own96.`)).toBe(true);
  expect(stderr).toContain(`warning: ${refusal.trim()}`);
  expect(readModelFile(readFileSync(join(folder, 'swing.pb'))).model.architecture.cell).toBe('none');
});
