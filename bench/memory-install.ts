import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package as `npm install` puts it on a device. */
export interface Installation {
  /** The folder of cellstream in node_modules. */
  readonly root: string;
  readonly packageMb: number;
  /** On disk, in whole blocks. */
  readonly installedMb: number;
}

export function installPackage(folder: string): Installation {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const npm = (cwd: string, ...args: readonly string[]) => execFileSync('npm', args, { cwd, stdio: 'pipe' });
  npm(fileURLToPath(new URL('..', import.meta.url)), 'pack', '--pack-destination', folder);
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz')) as string;
  npm(folder, 'install', '--omit=dev', '--no-audit', '--no-fund', `./${archive}`);
  const modules = join(folder, 'node_modules');
  return {
    root: join(modules, 'cellstream'),
    packageMb: statSync(join(folder, archive)).size / 1e6,
    installedMb: blocksOf(modules) / 1e6,
  };
}

function blocksOf(folder: string): number {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return paths.reduce((sum, path) => sum + 512 * statSync(join(folder, path)).blocks, 0);
}
