import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { prepareTraining } from '../../src/cli/prepare.ts';
import { trainModel } from '../../src/cli/train-model.ts';
import { readRecipe } from '../../src/cli/train-recipe.ts';
import { hasSimd } from '../../src/kernels/training-simd.ts';
import type { MachineOptions } from '../../src/train/machine.ts';
import { bundleWorker } from '../train/team-worker.ts';
import { writeBoilers } from './small-data.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cellstream-machine-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.skipIf(!hasSimd())(
  'a recipe gives the same two files on every kernel and number of threads',
  async () => {
    const prepared = prepareTraining(readRecipe(writeBoilers(folder)), () => {});
    const worker = await bundleWorker();
    const train = async (machine: MachineOptions) => {
      const { servedBytes, floatBytes } = await trainModel(prepared, { machine, stage: () => {} });
      return { served: Buffer.from(servedBytes), float: Buffer.from(floatBytes) };
    };
    const scalar = await train({ kernel: 'scalar' });
    for (const threads of [1, 2, 4]) {
      const found = await train({ kernel: 'simd', threads, worker });
      expect(found.served.equals(scalar.served)).toBe(true);
      expect(found.float.equals(scalar.float)).toBe(true);
    }
  },
);
