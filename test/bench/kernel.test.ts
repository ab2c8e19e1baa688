import { expect, test } from 'vitest';
import type { KernelMeasure } from '../../bench/kernel.ts';
import { createInputs, createInt8Model } from '../../bench/step-models.ts';
import { kernels } from '../../bench/step-run.ts';
import { createScalarKernel } from '../../src/kernels/scalar.ts';
import { runBench } from './run-bench.ts';

/** What streams that all see the same frames, a batch of them at a time, answer in their first 300 steps at least. */
function sumAnswers(hidden: number, streams: number): number {
  const kernel = createScalarKernel(createInt8Model(hidden), { extra: 0, batchLimit: streams });
  kernel.reserve(streams);
  const inputs = createInputs(4096, 8);
  let sum = 0;
  for (let call = 0; call * streams < 300; call++) {
    for (let i = 0; i < streams; i++) kernel.batch.slots[i] = i;
    kernel.inputs.set(inputs.subarray(8 * call * streams, 8 * (call + 1) * streams));
    kernel.step(0, streams);
    for (const output of kernel.outputs) sum += Math.abs(output);
  }
  return sum;
}

test('the kernel bench times steps that answer what the model answers, by every implementation', () => {
  const { stdout } = runBench('kernel', '--hidden', '5', '--streams', '1,3', '--rounds', '1', '--json');
  const measures: KernelMeasure[] = JSON.parse(stdout.trim().split('\n').at(-1) ?? '').measures;
  expect(measures.map(({ name }) => name)).toEqual([
    'H=5, 1 stream, us a step',
    'H=5, 3 streams, us a step',
    'nyc-weather, 1 stream, us a step',
    'nyc-weather, 3 streams, us a step',
  ]);
  expect(measures.map(({ checksum }) => checksum).slice(0, 2)).toEqual([sumAnswers(5, 1), sumAnswers(5, 3)]);
  for (const { streams, implementations } of measures) {
    const names = [...Object.keys(kernels), ...(streams === 1 ? ['session'] : [])];
    expect(Object.keys(implementations)).toEqual(names);
    for (const { median, p99 } of Object.values(implementations))
      expect(Math.min(median, p99)).toBeGreaterThan(0);
  }
});
