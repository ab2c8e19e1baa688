import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const fakeMain = fileURLToPath(new URL('fake-main.ts', import.meta.url));

function spawn(script: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script, ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    env: { ...process.env, DEBUG: '' },
  });
  return { status, stdout, stderr };
}

describe('the program', () => {
  test('ends with exit code 2 and one line for a wrong command', () => {
    expect(spawn(main, 'evalute', 'm.pb')).toEqual({
      status: 2,
      stdout: '',
      stderr: "cellstream: unknown command 'evalute'; did you mean evaluate? (see cellstream --help)\n",
    });
  });

  test('ends with exit code 0 after its help', () => {
    const { status, stdout, stderr } = spawn(main, 'evaluate', '--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('cellstream evaluate weather.pb --data weather.csv');
  });

  test('keeps a log and a progress of hundreds of lines out of the JSON', () => {
    const { status, stdout, stderr } = spawn(fakeMain, 'inspect', 'm.pb', '--json');
    expect(status).toBe(0);
    expect(stdout.endsWith('}\n')).toBe(true);
    expect(JSON.parse(stdout).values).toHaveLength(100_000);
    expect(stderr).toContain('working 100 %');
    expect(stderr).toContain('line 500');
  });
});
