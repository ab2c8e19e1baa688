// Generates proto/generated/NAME.js and NAME.d.ts from every proto/NAME.proto.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pbjs from 'protobufjs-cli/pbjs.js';

const generate = promisify(pbjs.main);

/** `folder` holds the .proto files; the code replaces folder/generated as a whole, so nothing stale stays. */
export async function generateProto(folder) {
  const target = join(folder, 'generated');
  const scratch = join(folder, `.generated-${process.pid}`);
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.proto'));
    for (const name of names) await generateOne(folder, scratch, name.slice(0, -'.proto'.length));
    rmSync(target, { recursive: true, force: true });
    renameSync(scratch, target);
    return names.length;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function generateOne(folder, scratch, name) {
  const code = join(scratch, `${name}.js`);
  await generate([
    ...['--target', 'static-module', '--wrap', 'esm', '--dts', '--force-number'],
    ...['--no-service', '--no-delimited', '--no-convert', '--no-verify', '--no-typeurl'],
    // Node's ESM resolver needs the extension: protobufjs has no `exports`
    ...['--dependency', 'protobufjs/minimal.js'],
    // a root of its own, or two files of one package would overwrite each other's messages
    ...['--root', `cellstream-${name}`],
    ...['--path', folder, '--out', code, join(folder, `${name}.proto`)],
  ]);
  // the comments were needed for the .d.ts; they are half of the .js
  writeFileSync(code, readFileSync(code, 'utf8').replace(/^ *\/\*\*[\s\S]*?\*\/\n\n?/gm, ''));
  // without 64-bit integers Long is never used, and `long` is no dependency of ours
  const typesFile = join(scratch, `${name}.d.ts`);
  const types = readFileSync(typesFile, 'utf8').replace(/^import Long = require\("long"\);\n/m, '');
  if (/\bLong\b/.test(types)) throw new Error(`${name}.proto has a 64-bit integer field; use double`);
  writeFileSync(typesFile, types);
}
