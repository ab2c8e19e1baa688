import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { createModelCases } from './model-cases.ts';

/** What one build of Node made of all models. */
export interface Outcome {
  readonly node: string;
  readonly arch: string;
  /** By model: SHA-256 of its answers and states. */
  readonly hashes: Readonly<Record<string, string>>;
}

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const shipped = ['nyc-weather.pb', 'weather.csv'].map((name) => pathOf(`../../models/nyc-weather/${name}`));

/** Writes the models and bundles the program that steps them.
 * @returns what runs it with a command, such as [process.execPath] */
export async function prepareProgram(): Promise<(command: readonly string[]) => Promise<Outcome>> {
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-equality-'));
  const models = join(folder, 'models');
  const program = join(folder, 'program.mjs');
  mkdirSync(models);
  for (const { name, file } of createModelCases()) writeFileSync(join(models, name), file);
  const options = { bundle: true, platform: 'node', format: 'esm', logLevel: 'silent' } as const;
  await build({ ...options, entryPoints: [pathOf('program.ts')], outfile: program });
  return async ([command, ...args]) => {
    const { stdout } = await promisify(execFile)(command, [...args, program, models, ...shipped]);
    return JSON.parse(stdout) as Outcome;
  };
}
