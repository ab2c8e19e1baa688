// Compiles src/kernels/assembly/training.ts into src/kernels/training-module.ts; run it after every change there.
// asc gives the same bytes everywhere, so a test can compare.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
export const moduleFile = 'src/kernels/training-module.ts';

/** The text of the module file, from the sources that lie here now. */
export async function compileAssembly() {
  let binary;
  const { error, stderr } = await asc.main(
    [
      ...['src/kernels/assembly/training.ts', '--outFile', 'training.wasm', '-O3'],
      ...['--runtime', 'stub', '--noAssert', '--importMemory', '--noExportMemory'],
      ...['--enable', 'simd', '--enable', 'threads'],
      // 4 GiB at most; what is asked for is what a training takes
      ...['--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
      // v128 passes between our own files only
      ...['--disableWarning', '112'],
    ],
    {
      readFile: (name) => {
        try {
          return readFileSync(`${root}${name}`, 'utf8');
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
    `export const trainingModule =\n  '${base64}';\n`,
  ].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    writeFileSync(`${root}${moduleFile}`, await compileAssembly());
  } catch (error) {
    console.error(`assembly: ${error.message}`);
    process.exitCode = 1;
  }
}
