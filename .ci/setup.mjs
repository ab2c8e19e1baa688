// Makes a clone ready for `npm test` and `npm start`: installs and builds when something changed.
// Node's built-ins only, and nothing on standard output: `npm start -- --json` owns its last line.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, isBuilt, root, run } from './build.mjs';

const installStamp = join(root, 'node_modules', '.cellstream-stamp');

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Error(`Node ${process.versions.node} is too old: cellstream needs Node 20.19 or newer`);
  }
}

/** The installed files depend on the lock and on the platform (esbuild, Biome and tsc are native programs). */
function installKey() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform}-${process.arch}`;
}

function isInstalled() {
  return existsSync(installStamp) && readFileSync(installStamp, 'utf8') === installKey();
}

function install() {
  const args = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const cli = process.env.npm_execpath;
  if (cli?.endsWith('npm-cli.js')) run(process.execPath, [cli, ...args]);
  else run('npm', args, { shell: process.platform === 'win32' });
  writeFileSync(installStamp, installKey());
}

try {
  checkNode();
  if (!isInstalled()) {
    console.error('setup: installing dependencies (npm ci)');
    install();
  }
  if (!isBuilt()) {
    console.error('setup: building proto/generated and dist');
    await build();
  }
} catch (error) {
  console.error(`setup: ${error.message}`);
  process.exitCode = 1;
}
