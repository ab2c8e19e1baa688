import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const { compileAssembly, modules } = await import('../../.ci/assembly.mjs' as string);

test.each(modules as { file: string }[])('$file is what its sources compile to', async (module) => {
  const text = readFileSync(new URL(`../../${module.file}`, import.meta.url), 'utf8');
  expect(text).toBe(await compileAssembly(module));
});
