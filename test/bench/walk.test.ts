import { expect, test } from 'vitest';
import { createFloatModel } from '../../bench/step-models.ts';
import { traceKernel } from '../../bench/step-trace.ts';
import { createWalk, networkInputs } from '../../bench/walk.ts';
import { createScalarKernel } from '../../src/kernels/scalar.ts';
import { createStreamRun } from '../../src/quantize/stream-run.ts';

test('the inputs that int8 is measured on are those that a stream of the walk would have', () => {
  const model = createFloatModel(16);
  const { dataset } = createWalk(model, { seed: 3, length: 200, calibration: 100 });
  const inputs = networkInputs(model, dataset);
  const { h, y } = traceKernel(createScalarKernel, model, inputs);
  const run = createStreamRun(model, 'walk');
  const [{ values }] = dataset.series;
  for (let t = 0; t < 200; t++) {
    run.step(t, values.subarray(t, t + 1));
    expect(y[t]).toBe(run.increments[0]);
    expect(h.slice(16 * t, 16 * (t + 1))).toEqual(run.hidden);
  }
  // a walk, and one that moves
  const last = inputs.subarray(8 * 199);
  expect(Math.min(...last.map(Math.abs))).toBeGreaterThan(0);
});
