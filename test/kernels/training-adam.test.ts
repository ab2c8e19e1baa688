import { describe, expect, test } from 'vitest';
import type { AdamSettings } from '../../src/kernels/training.ts';
import { place, trainingKernels } from './training-kernels.ts';

const gradients = [
  [0.5, -2, 0, 1e-3],
  [-0.25, -1, 0, 2e-3],
  [0.125, 3, 0, -1e-3],
];
const start = [1, -0.5, 0.25, 2];

/** Kingma and Ba, "Adam", 2015, algorithm 1, and the decay of Loshchilov and Hutter, 2019, in float64. */
function referenceSteps(rate: number, decay: number, steps: number): number[] {
  const w = [...start];
  const m = [0, 0, 0, 0];
  const v = [0, 0, 0, 0];
  for (let t = 1; t <= steps; t++) {
    gradients[t - 1].forEach((g, i) => {
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.999 * v[i] + 0.001 * g ** 2;
      w[i] -= rate * decay * w[i];
      w[i] -= (rate * (m[i] / (1 - 0.9 ** t))) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8);
    });
  }
  return w;
}

function settingsAt(t: number, learningRate: number, weightDecay: number): AdamSettings {
  return { learningRate, weightDecay, correction1: 1 - 0.9 ** t, correction2: 1 - 0.999 ** t };
}

describe.each(trainingKernels)('Adam in the %s training kernel', (_, kernel) => {
  function run(steps: number, rate: number, decay: number) {
    const parameters = place(kernel, start);
    const [m, v] = [place(kernel, [0, 0, 0, 0]), place(kernel, [0, 0, 0, 0])];
    for (let t = 1; t <= steps; t++) {
      kernel.adam(parameters, place(kernel, gradients[t - 1]), m, v, settingsAt(t, rate, decay));
    }
    return { parameters, m, v };
  }

  test('steps by the learning rate first, whatever the size of the gradient', () => {
    const { parameters } = run(1, 0.01, 0);
    expect(parameters[0]).toBeCloseTo(1 - 0.01, 6);
    expect(parameters[1]).toBeCloseTo(-0.5 + 0.01, 6);
    expect(parameters[3]).toBeCloseTo(2 - 0.01, 6);
  });

  test('leaves a parameter without a gradient where it is', () => {
    expect(run(3, 0.01, 0).parameters[2]).toBe(0.25);
  });

  test('keeps the running means of the gradient and of its square', () => {
    const { m, v } = run(2, 0.01, 0);
    expect(m[0]).toBeCloseTo(0.9 * 0.05 + 0.1 * -0.25, 7);
    expect(v[0]).toBeCloseTo(0.999 * 0.00025 + 0.001 * 0.0625, 9);
  });

  test.each([1, 2, 3])('is where the paper says after %i steps', (steps) => {
    const expected = referenceSteps(0.02, 0, steps);
    run(steps, 0.02, 0).parameters.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 6);
    });
  });

  test('shrinks the weights by rate times decay before the step: AdamW', () => {
    const expected = referenceSteps(0.02, 0.5, 3);
    const { parameters } = run(3, 0.02, 0.5);
    parameters.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 6);
    });
    // without a gradient there is nothing but decay
    expect(parameters[2]).toBeCloseTo(0.25 * 0.99 ** 3, 6);
  });

  test('rounds every operation to float32, in the order of the formula', () => {
    const f = Math.fround;
    const [g, m, v, w] = [f(0.3), f(-0.2), f(0.07), f(1.1)];
    const { learningRate, weightDecay, correction1, correction2 } = settingsAt(4, 0.003, 0.01);
    const mean = f(f(f(0.9) * m) + f(f(1 - 0.9) * g));
    const square = f(f(f(0.999) * v) + f(f(1 - 0.999) * f(g * g)));
    const root = f(Math.sqrt(f(square / f(correction2))));
    const step = f(f(mean / f(correction1)) / f(root + f(1e-8)));
    const keep = f(1 - f(f(learningRate) * f(weightDecay)));
    const [parameters, means, squares] = [place(kernel, [w]), place(kernel, [m]), place(kernel, [v])];
    kernel.adam(parameters, place(kernel, [g]), means, squares, {
      ...{ learningRate, weightDecay, correction1, correction2 },
    });
    expect([means[0], squares[0], parameters[0]]).toEqual([
      mean,
      square,
      f(f(keep * w) - f(f(learningRate) * step)),
    ]);
  });
});
