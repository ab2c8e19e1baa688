import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));

function run(...args: readonly string[]) {
  const tsx = ['--import', import.meta.resolve('tsx')];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...tsx, main, ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test.each([
  [['nothing'], 'no bench nothing; there is: accuracy, baselines, service'],
  [['baselines', '--dta', 'x'], "bench baselines: Unknown option '--dta'"],
  [['baselines', '--data', 'nowhere'], /^bench baselines: no file nowhere\/ETTh1\.csv; .*give --data/],
])('a bench says in one line what is wrong with %j', (args, message) => {
  const { status, stdout, stderr } = run(...args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(message)]);
});
