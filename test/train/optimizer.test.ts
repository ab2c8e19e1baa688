import { describe, expect, test } from 'vitest';
import { float32 } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import {
  clipNorm,
  createOptimizerState,
  learningRateAt,
  normOf,
  type OptimizerSettings,
  updateParameters,
} from '../../src/train/optimizer.ts';

const kernel = createScalarTrainingKernel(float32);

const settings: OptimizerSettings = {
  ...{ optimizer: 'adamw', learningRate: 0.01, weightDecay: 0.1, schedule: 'constant', clip: 1 },
};

describe('clipping by norm', () => {
  test('scales a longer gradient to exactly the norm, its direction kept', () => {
    const gradient = Float32Array.of(2, -3, 0, 6);
    expect(clipNorm(kernel, gradient, 1)).toBe(7);
    const factor = Math.fround(1 / 7);
    expect(gradient).toEqual(Float32Array.of(2 * factor, -3 * factor, 0, 6 * factor));
    expect(normOf(gradient)).toBeCloseTo(1, 6);
  });

  test.each([5, 5.5])('leaves a gradient of norm 5 alone under the limit %d', (clip) => {
    const gradient = Float32Array.of(3, -4);
    expect(clipNorm(kernel, gradient, clip)).toBe(5);
    expect(gradient).toEqual(Float32Array.of(3, -4));
  });

  test('survives squares that float32 cannot hold', () => {
    const gradient = Float32Array.of(3e30, -4e30);
    clipNorm(kernel, gradient, 1);
    expect(gradient[0]).toBeCloseTo(0.6, 6);
    expect(gradient[1]).toBeCloseTo(-0.8, 6);
  });
});

describe('the schedule', () => {
  const cosine = { ...settings, schedule: 'cosine' } as const;

  test('falls along half a cosine from the learning rate to 0', () => {
    expect(learningRateAt(cosine, 0)).toBe(0.01);
    expect(learningRateAt(cosine, 0.5)).toBeCloseTo(0.005, 15);
    expect(learningRateAt(cosine, 1)).toBe(0);
    for (let share = 0; share <= 1; share += 1 / 64) {
      expect(learningRateAt(cosine, share)).toBeCloseTo(0.005 * (1 + Math.cos(Math.PI * share)), 14);
    }
  });

  test('stays where it is when constant', () => {
    expect([0, 0.3, 1].map((share) => learningRateAt(settings, share))).toEqual([0.01, 0.01, 0.01]);
  });
});

describe('an update', () => {
  function update(changed: Partial<OptimizerSettings>, share = 0) {
    const parameters = Float32Array.of(1, -1);
    const state = createOptimizerState(kernel, 2);
    const step = () =>
      updateParameters(kernel, parameters, Float32Array.of(30, 0), state, { ...settings, ...changed }, share);
    step();
    return { parameters, state, step };
  }

  test('sees the clipped gradient', () => {
    expect(update({}).state.m).toEqual(Float32Array.of(Math.fround(1 - 0.9), 0));
    expect(update({ clip: 30 }).state.m[0]).toBeCloseTo(3, 6);
  });

  test('decays the weights of AdamW and not those of Adam', () => {
    expect(update({}).parameters[1]).toBeCloseTo(-(1 - 0.01 * 0.1), 6);
    expect(update({ optimizer: 'adam' }).parameters[1]).toBe(-1);
  });

  test('goes as far as the schedule says', () => {
    expect(update({ optimizer: 'adam', schedule: 'cosine' }, 0.5).parameters[0]).toBeCloseTo(1 - 0.005, 6);
    expect(update({ schedule: 'cosine' }, 1).parameters).toEqual(Float32Array.of(1, -1));
  });

  test('counts, and keeps the powers of both betas as running products', () => {
    const { state, step } = update({});
    step();
    step();
    expect(state.update).toBe(3);
    expect([state.power1, state.power2]).toEqual([0.9 * 0.9 * 0.9, 0.999 * 0.999 * 0.999]);
  });

  test('corrects the means of the first steps for their start at 0', () => {
    const { parameters, step } = update({ optimizer: 'adam' });
    for (let t = 2; t <= 5; t++) step();
    // the same gradient each time: every step has the length of the learning rate
    expect(parameters[0]).toBeCloseTo(1 - 5 * 0.01, 6);
  });
});
