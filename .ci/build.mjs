// proto/*.proto -> proto/generated, src -> dist. Everything it says goes to stderr.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = join(root, 'node_modules', '.cellstream-build');
const pageFolder = join('src', 'dashboard', 'page');
const rootInputs = ['package.json', 'package-lock.json', 'tsconfig.json', '.ci/build.mjs', '.ci/proto.mjs'];

/** True when dist/ was built from exactly the sources that lie here now. */
export function isBuilt() {
  const outputs = [join('dist', 'index.js'), join('dist', 'cli', 'main.js'), join('proto', 'generated')];
  return (
    outputs.every((path) => existsSync(join(root, path))) &&
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === hashInputs()
  );
}

/** Builds beside dist/ and swaps at the end: a running process keeps a whole build, nothing stale stays. */
export async function build() {
  const inputs = hashInputs();
  const scratch = join(root, `.build-${process.pid}`);
  rmSync(stamp, { force: true });
  try {
    const { generateProto } = await import('./proto.mjs');
    await generateProto(join(root, 'proto'));
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    run(process.execPath, [tsc, '-p', root, '--outDir', scratch]);
    const main = join(scratch, 'cli', 'main.js');
    if (existsSync(main)) chmodSync(main, 0o755);
    for (const file of pageFiles())
      copyFileSync(join(root, pageFolder, file), join(scratch, 'dashboard', 'page', file));
    rmSync(join(root, 'dist'), { recursive: true, force: true });
    renameSync(scratch, join(root, 'dist'));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  writeFileSync(stamp, inputs);
}

/** Runs a child with its standard output on our standard error. */
export function run(command, args, options = {}) {
  const child = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (child.error) throw new Error(`cannot run ${command}: ${child.error.message}`);
  if (child.status !== 0) {
    throw new Error(
      `${[command, ...args].join(' ')} ended with ${child.signal ?? `exit code ${child.status}`}`,
    );
  }
}

/** What tsc does not carry over: the page's HTML, CSS and pictures. */
function pageFiles() {
  return readdirSync(join(root, pageFolder)).filter((file) => extname(file) !== '.ts');
}

function hashInputs() {
  const hash = createHash('sha256');
  const protos = readdirSync(join(root, 'proto')).filter((name) => name.endsWith('.proto'));
  const sources = readdirSync(join(root, 'src'), { recursive: true }).filter((path) => path.endsWith('.ts'));
  const paths = [
    ...rootInputs,
    ...protos.map((name) => join('proto', name)),
    ...sources.map((path) => join('src', path)),
    ...pageFiles().map((file) => join(pageFolder, file)),
  ];
  for (const path of paths.sort()) {
    const bytes = readFileSync(join(root, path));
    hash.update(`${path}\n${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await build();
  } catch (error) {
    console.error(`build: ${error.message}`);
    process.exitCode = 1;
  }
}
