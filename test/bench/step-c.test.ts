import { afterAll, expect, test } from 'vitest';
import { createInt8Model } from '../../bench/step-models.ts';
import { compileStep } from '../../bench/step-peer.ts';
import { traceKernel } from '../../bench/step-trace.ts';
import { createScalarKernel } from '../../src/kernels/scalar.ts';

// needs gcc and a processor with AVX2
const c = compileStep();
afterAll(() => c?.close());

// 16 bits up to H = 64, 8 bits beyond
test.skipIf(c === undefined).each([16, 64, 80, 128])(
  'the C step that ours is measured against has our bits at H=%i',
  async (hidden) => {
    const model = createInt8Model(hidden);
    const step = await c?.open(model);
    if (step === undefined) throw new Error('it did not start');
    const found = await step.trace(300);
    step.close();
    const { h, y } = traceKernel(createScalarKernel, model, step.frames.subarray(0, 8 * 300));
    expect(found.y.map(Math.fround)).toEqual([...y]);
    expect(found.h.map(Math.fround)).toEqual([...h.subarray(299 * hidden)]);
  },
);
