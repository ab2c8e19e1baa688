// Compiles the entry files of src/kernels/assembly into modules beside it; run it after every change there. asc gives the
// same bytes everywhere, so a test can compare.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
// 4 GiB at most; what is asked for is what is taken
const shared = ['--enable', 'threads', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'];

/** What is compiled: the file that holds it, its name there, its entry, and flags of its own. */
export const modules = [
  { file: 'src/kernels/training-module.ts', name: 'trainingModule', entry: 'training', flags: shared },
  { file: 'src/kernels/inference-module.ts', name: 'inferenceModule', entry: 'inference', flags: [] },
  {
    ...{ file: 'src/kernels/shared-inference-module.ts', name: 'sharedInferenceModule', entry: 'inference' },
    flags: shared,
  },
];

/** The text of a module file, from the sources that lie here now. */
export async function compileAssembly({ name, entry, flags }) {
  let binary;
  const { error, stderr } = await asc.main(
    [
      ...[`src/kernels/assembly/${entry}.ts`, '--outFile', `${entry}.wasm`, '-O3'],
      ...['--runtime', 'stub', '--noAssert', '--importMemory', '--noExportMemory', '--enable', 'simd'],
      ...flags,
      // v128 passes between our own files only
      ...['--disableWarning', '112'],
    ],
    {
      readFile: (path) => {
        try {
          return readFileSync(`${root}${path}`, 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (_, contents) => {
        binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`asc: ${error.message}\n${stderr}`);
  const base64 = Buffer.from(binary).toString('base64');
  return [
    '// Generated from src/kernels/assembly by .ci/assembly.mjs.',
    `export const ${name} =\n  '${base64}';\n`,
  ].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    for (const module of modules) writeFileSync(`${root}${module.file}`, await compileAssembly(module));
  } catch (error) {
    console.error(`assembly: ${error.message}`);
    process.exitCode = 1;
  }
}
