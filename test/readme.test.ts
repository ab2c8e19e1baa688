import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

test('the ten lines of the README run as they stand there', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const program = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const lines = program.split('\n').filter((line) => line !== '');
  expect(lines.length).toBeLessThanOrEqual(10);
  // inside the package, so that `cellstream` is itself
  const folder = mkdtempSync(join(root, '.readme-'));
  try {
    writeFileSync(join(folder, 'program.mjs'), program);
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'program.mjs')], {
      cwd: root,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const printed = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    expect(printed).toHaveLength(3);
    for (const [health, next, low, high] of printed) {
      expect(health).toBe('cold');
      expect(Number(next)).toBeGreaterThan(20);
      expect(Number(next)).toBeLessThan(60);
      expect(Number(high)).toBeGreaterThan(Number(low));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
