import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build, type Plugin } from 'esbuild';
import { readModelFile } from '../../src/model/format.ts';
import { createModelCases } from './model-cases.ts';

/** What one build of Node made of all models. */
export interface Outcome {
  readonly node: string;
  readonly arch: string;
  /** What the machine steps integers with of itself: `pairs` and `quads` are the packings of the SIMD kernel. */
  readonly chosen: 'packed' | 'pairs' | 'quads';
  /** By model: SHA-256 of its answers and states. */
  readonly hashes: Readonly<Record<string, string>>;
}

/** What steps: the machine's own choice, or one kernel on any machine (`packed`: two rows in a float64). */
type Stepper = 'own choice' | 'scalar' | 'packed' | 'pairs' | 'quads';

export interface Program {
  /** Runs it with a command, such as [process.execPath]. */
  run(command: readonly string[], stepper?: Stepper): Promise<Outcome>;
  remove(): void;
}

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const weatherModel = pathOf('../../models/nyc-weather/nyc-weather.pb');
/** In the place of kernels/choose.ts. */
const choices: Readonly<Record<Stepper, string | undefined>> = {
  'own choice': undefined,
  scalar: `export { createScalarKernel as createStepKernel } from './scalar.ts';`,
  packed: `export { createPackedKernel as createStepKernel } from './scalar.ts';`,
  pairs: chooseSimd('pairs'),
  quads: chooseSimd('quads'),
};

/** Writes the models and bundles the program that steps them. */
export async function createProgram(): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-equality-'));
  const models = join(folder, 'models');
  mkdirSync(models);
  for (const { name, file } of createModelCases()) writeFileSync(join(models, name), file);
  const weather = join(folder, 'weather.csv');
  writeFileSync(weather, cutTestPart());
  const bundle = async (stepper: Stepper) => {
    const outfile = join(folder, `${stepper}.mjs`);
    const options = { bundle: true, platform: 'node', format: 'esm', logLevel: 'silent' } as const;
    await build({ ...options, entryPoints: [pathOf('program.ts')], outfile, plugins: [choosing(stepper)] });
    return outfile;
  };
  return {
    async run([command, ...args], stepper = 'own choice') {
      const file = await bundle(stepper);
      const { stdout } = await promisify(execFile)(command, [...args, file, models, weatherModel, weather]);
      return JSON.parse(stdout) as Outcome;
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** The header and the rows of the test part: reading the others takes an emulated machine as long as all that it steps. */
function cutTestPart(): string {
  const { validationEndMs } = readModelFile(readFileSync(weatherModel)).model.training;
  const border = new Date(validationEndMs).toISOString();
  const rows = readFileSync(pathOf('../../models/nyc-weather/weather.csv'), 'utf8').split('\n');
  return rows.filter((row, i) => i === 0 || row.slice(row.lastIndexOf(',') + 1) >= border).join('\n');
}

function chooseSimd(packing: string): string {
  return `
    import { createScalarKernel } from './scalar.ts';
    import { createWasmKernel, isForSimd } from './wasm.ts';
    const createSimd = createWasmKernel('${packing}');
    export const createStepKernel = (model, options) =>
      (isForSimd(model) ? createSimd : createScalarKernel)(model, options);`;
}

function choosing(stepper: Stepper): Plugin {
  return {
    name: 'choosing',
    setup({ onLoad }) {
      const contents = choices[stepper];
      if (contents === undefined) return;
      onLoad({ filter: /\bkernels[\\/]choose\.ts$/ }, () => ({ contents, loader: 'ts' }));
    },
  };
}
