import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Outcome, prepareProgram } from './machine.ts';

interface Machine {
  readonly name: string;
  readonly command: readonly string[];
}

const { machinesFile } = await import('../../.ci/machines.mjs' as string);
const isRequired = process.env.CELLSTREAM_REQUIRE_SYSTEM === '1';
const machines: Machine[] =
  existsSync(machinesFile) || isRequired ? JSON.parse(readFileSync(machinesFile, 'utf8')) : [];

// without them: node .ci/machines.mjs
describe.skipIf(machines.length === 0)('bits', () => {
  let run: (command: readonly string[]) => Promise<Outcome>;
  let here: Outcome;

  beforeAll(async () => {
    run = await prepareProgram();
    here = await run([process.execPath]);
  });

  test.concurrent.each(machines)(
    'of this machine are those of $name',
    { timeout: 300_000 },
    async ({ command }) => {
      const there = await run(command);
      expect(there.hashes).toEqual(here.hashes);
      expect([there.node, there.arch]).not.toEqual([here.node, here.arch]);
    },
  );
});
