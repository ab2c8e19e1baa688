import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProgram, type Outcome, type Program } from './machine.ts';

interface Machine {
  readonly name: string;
  readonly command: readonly string[];
}

const { machinesFile } = await import('../../.ci/machines.mjs' as string);
const isRequired = process.env.CELLSTREAM_REQUIRE_SYSTEM === '1';
const machines: Machine[] =
  existsSync(machinesFile) || isRequired ? JSON.parse(readFileSync(machinesFile, 'utf8')) : [];
const runs = [
  // which of the two a real machine chooses cannot be told by an emulated one
  ...machines.flatMap((machine) => (['pairs', 'quads'] as const).map((stepper) => ({ ...machine, stepper }))),
  // what a 32-bit ARM without SIMD gets
  ...machines.slice(-1).map((machine) => ({ ...machine, stepper: 'packed' as const })),
];

// without them: node .ci/machines.mjs
describe.skipIf(machines.length === 0)('the scalar kernel on this machine', () => {
  let program: Program;
  let here: Outcome;

  beforeAll(async () => {
    program = await createProgram();
    here = await program.run([process.execPath], 'scalar');
  });

  afterAll(() => program.remove());

  test.concurrent.each(runs)(
    'has the bits of $stepper on $name',
    {
      timeout: 300_000,
    },
    async ({ command, stepper }) => {
      const there = await program.run(command, stepper);
      expect([there.node, there.arch]).not.toEqual([here.node, here.arch]);
      expect(there.chosen).not.toBe('packed');
      expect(there.hashes).toEqual(here.hashes);
    },
  );
});
