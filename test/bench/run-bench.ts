import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));

/** `npm run bench -- ...`, without npm. */
export function runBench(...args: readonly string[]) {
  const tsx = ['--import', import.meta.resolve('tsx')];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...tsx, main, ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}
