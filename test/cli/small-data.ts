import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { purpose, uniform } from '../../src/math/random.ts';
import { capture } from './capture.ts';

/** Two boilers, a row each 10 minutes, a period of 6 rows, noise, some empty cells and missing rows. */
export function boilerCsv(rows = 700): string {
  const lines = ['time,boiler,temp,flow'];
  for (let i = 0; i < rows; i++) {
    for (const [b, boiler] of ['north', 'south'].entries()) {
      const noise = (unit: number) => uniform(7, purpose.weights, i, b, unit) - 0.5;
      if (noise(0) > 0.48) continue;
      const temp = 60 + b + 5 * Math.sin((2 * Math.PI * i) / 6) + 0.8 * noise(1);
      const flow = noise(2) > 0.47 ? '' : (3 + Math.cos((2 * Math.PI * i) / 6) + 0.2 * noise(3)).toFixed(2);
      lines.push(`${new Date(1.7e12 + i * 600_000).toISOString()},${boiler},${temp.toFixed(2)},${flow}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** A recipe for it that trains in a second or two. */
export function boilerRecipe(changes: Readonly<Record<string, string>> = {}): string {
  const lines: Record<string, string> = {
    name: 'boilers',
    data: 'boilers.csv',
    time: 'time',
    stream: 'boiler',
    features: '[temp, flow]',
    target: 'temp',
    horizons: '[1, 3]',
    model: '{ hidden: 6 }',
    training: '{ epochs: 12, batch: 8, chunk: 8, dropout: 0.1, learningRate: 0.01, seed: 3 }',
    ...changes,
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');
}

/** boilers.csv and recipe.yaml in a folder.
 * @returns the path of the recipe */
export function writeBoilers(folder: string, changes: Readonly<Record<string, string>> = {}): string {
  writeFileSync(join(folder, 'boilers.csv'), boilerCsv());
  const recipe = join(folder, 'recipe.yaml');
  writeFileSync(recipe, boilerRecipe(changes));
  return recipe;
}

/** Runs the real commands in this process. */
export const runHere = (...args: readonly string[]) => capture([...args, '--quiet']);

/** The object of --json, from a run that must succeed. */
export async function runJson(...args: readonly string[]) {
  const { code, stdout, stderr } = await runHere(...args, '--json');
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}
