import { expect, test } from 'vitest';
import { createSharedMemory, createSimdTrainingKernel, hasSimd } from '../../src/kernels/training-simd.ts';

test.runIf(hasSimd())('threads that share a memory write nowhere alike but into their arrays', () => {
  const memory = createSharedMemory();
  const [n, k, time] = [4, 128, { steps: 1, rows: 8 }];
  const bytes = () => new Uint8Array(memory.buffer).slice();
  /** The addresses of what a thread changes below its arrays. */
  function written(thread: number): number[] {
    const kernel = createSimdTrainingKernel(memory, thread);
    const { allocate } = kernel.precision;
    const gradient = allocate(n * k);
    const [d, x] = [allocate(8 * n).fill(1 + thread), allocate(8 * k).fill(1)];
    const before = bytes();
    kernel.accumulate(gradient, d, x, time, n, k);
    const after = bytes();
    return [...after.subarray(0, gradient.byteOffset).keys()].filter((at) => after[at] !== before[at]);
  }
  const [first, second] = [written(0), written(1)];
  expect(first).not.toHaveLength(0);
  expect(second).not.toHaveLength(0);
  expect(second.filter((at) => first.includes(at))).toEqual([]);
});
