import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('the WebAssembly module is what its sources compile to', async () => {
  const { compileAssembly, moduleFile } = await import('../../.ci/assembly.mjs' as string);
  const text = readFileSync(new URL(`../../${moduleFile}`, import.meta.url), 'utf8');
  expect(text).toBe(await compileAssembly());
});
