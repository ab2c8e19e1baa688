import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadServiceConfig } from '../src/config/service.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

test('the ten lines of the README run as they stand there', () => {
  const program = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const statements = program.split('\n').filter((line) => line !== '' && !line.startsWith('import'));
  expect(statements.length).toBeLessThanOrEqual(10);
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
    expect(printed.map(([stream, time, health]) => [stream, time, health])).toEqual([
      ['JFK', '2013-01-01T06:00:00Z', 'cold'],
      ['JFK', '2013-01-01T07:00:00Z', 'cold'],
    ]);
    for (const [, , , next, low, high] of printed) {
      expect(Number(next)).toBeGreaterThan(20);
      expect(Number(next)).toBeLessThan(60);
      expect(Number(high)).toBeGreaterThan(Number(low));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each(['README.md', 'docs/service.md', 'docs/ARCHITECTURE.md'])(
  'every file that %s links to is there',
  (page) => {
    const text = readFileSync(join(root, page), 'utf8');
    const links = [...text.matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target);
    const local = links.filter((target) => !target.startsWith('http'));
    expect(local.filter((target) => !existsSync(join(root, page, '..', target)))).toEqual([]);
  },
);

test.each(['README.md', 'docs/service.md'])('the config of %s is one', (page) => {
  const text = readFileSync(join(root, page), 'utf8');
  const config = /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  expect(loadServiceConfig(config, 'plant.yaml').name).toMatch(/^plant/);
});
