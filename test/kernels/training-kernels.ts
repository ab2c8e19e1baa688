import { float32, type TrainingKernel } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import { createSimdTrainingKernel, hasSimd } from '../../src/kernels/training-simd.ts';

/** Every float32 kernel of the trainer: one table of cases for all. */
export const trainingKernels: readonly [string, TrainingKernel][] = [
  ['scalar', createScalarTrainingKernel(float32)],
  ...(hasSimd() ? [['SIMD', createSimdTrainingKernel()] as [string, TrainingKernel]] : []),
];

/** A copy of the numbers that the kernel can work on. */
export function place(kernel: TrainingKernel, values: ArrayLike<number>): Float32Array {
  const placed = kernel.precision.allocate(values.length) as Float32Array;
  placed.set(values);
  return placed;
}

export function placeIndices(kernel: TrainingKernel, values: ArrayLike<number>): Int32Array {
  const placed = kernel.allocateIndices(values.length);
  placed.set(values);
  return placed;
}

/** A copy on the heap, to compare and to compute with. */
export function read(values: ArrayLike<number>): Float32Array {
  return Float32Array.from(values);
}
