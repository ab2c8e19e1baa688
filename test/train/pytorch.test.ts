import { describe } from 'vitest';
import { float64 } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import { describeGoldens } from './pytorch-cases.ts';

describe.each(['rnn', 'lstm', 'gru'] as const)('in float64 with Math.tanh: %s', (cell) => {
  describeGoldens(cell, { kernel: createScalarTrainingKernel(float64(Math.tanh)), tolerance: 1e-12 });
});
