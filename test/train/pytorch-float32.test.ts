import { describe } from 'vitest';
import { float32 } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import { describeGoldens } from './pytorch-cases.ts';

describe.each(['rnn', 'lstm', 'gru'] as const)('in float32: %s', (cell) => {
  describeGoldens(cell, { kernel: createScalarTrainingKernel(float32), tolerance: 1e-5 });
});
