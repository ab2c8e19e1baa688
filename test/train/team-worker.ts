import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** The trainer's worker as one file of JavaScript: Node 20 cannot start a thread from TypeScript. */
export async function bundleWorker(
  entry = new URL('../../src/train/team-worker.ts', import.meta.url),
): Promise<URL> {
  const outfile = join(await mkdtemp(join(tmpdir(), 'cellstream-worker-')), 'team-worker.mjs');
  const options = { bundle: true, platform: 'node', format: 'esm', logLevel: 'silent' } as const;
  await build({ ...options, entryPoints: [fileURLToPath(entry)], outfile });
  return pathToFileURL(outfile);
}
