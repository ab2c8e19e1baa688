import type { CreateKernel } from '../src/kernels/kernel.ts';
import type { Model } from '../src/model/model.ts';

/** h and y of every step of one stream from a zero state. */
export interface StepTrace {
  /** [steps, H] */
  readonly h: Float32Array;
  /** [steps] */
  readonly y: Float32Array;
}

/** Runs a model of one layer, one state and one answer over the frames of its network's inputs, [steps, I]. */
export function traceKernel(create: CreateKernel, model: Model, inputs: Float32Array): StepTrace {
  const kernel = create(model, { extra: 0, batchLimit: 1 });
  kernel.reserve(1);
  const { hidden } = model.architecture;
  const steps = inputs.length / kernel.inputSize;
  const h = new Float32Array(steps * hidden);
  const y = new Float32Array(steps);
  for (let t = 0; t < steps; t++) {
    kernel.inputs.set(inputs.subarray(t * kernel.inputSize, (t + 1) * kernel.inputSize));
    kernel.step(0, 1);
    h.set(kernel.memory().subarray(0, hidden), t * hidden);
    y[t] = kernel.outputs[0];
  }
  return { h, y };
}
