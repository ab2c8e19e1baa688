import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProgram, type Outcome, type Program } from './machine.ts';

let program: Program;
let plain: Outcome;

beforeAll(async () => {
  program = await createProgram();
  plain = await program.run([process.execPath], 'scalar');
});

afterAll(() => program.remove());

test.each(['own choice', 'packed', 'pairs', 'quads'] as const)(
  '200 random models and nyc-weather give the bits of the scalar kernel: %s',
  async (stepper) => {
    expect((await program.run([process.execPath], stepper)).hashes).toEqual(plain.hashes);
  },
);

// only V8's x64 port lets SIMD be switched off
test.runIf(process.arch === 'x64')('and so they do where there is no SIMD', async () => {
  const { chosen, hashes } = await program.run([process.execPath, '--no-enable-sse4-1']);
  expect(chosen).toBe('packed');
  expect(hashes).toEqual(plain.hashes);
});

test('each model has bits of its own', () => {
  const hashes = Object.values(plain.hashes);
  expect(hashes).toHaveLength(200 + 30 + 1);
  expect(new Set(hashes).size).toBe(hashes.length);
});
