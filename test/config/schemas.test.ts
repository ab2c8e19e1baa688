import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { importJsonSchema } from '../../src/config/import-spec.ts';
import { recipeJsonSchema } from '../../src/config/recipe.ts';
import { serviceJsonSchema } from '../../src/config/service.ts';

test.each([
  ['recipe', recipeJsonSchema],
  ['config', serviceJsonSchema],
  ['import', importJsonSchema],
])('docs/%s.schema.json is what the %s is checked by (UPDATE=1 writes it)', (name, schema) => {
  const file = new URL(`../../docs/${name}.schema.json`, import.meta.url);
  const text = `${JSON.stringify(schema(), null, 2)}\n`;
  if (process.env.UPDATE === '1') writeFileSync(file, text);
  expect(readFileSync(file, 'utf8')).toBe(text);
});
