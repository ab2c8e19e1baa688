import type { Floats, TrainingKernel } from '../kernels/training.ts';
import { cosinePi } from '../math/cosine.ts';

export interface OptimizerSettings {
  readonly optimizer: 'adam' | 'adamw';
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly schedule: 'cosine' | 'constant';
  /** The largest norm of a gradient; longer ones are scaled down to it. */
  readonly clip: number;
}

/** What a resumed training needs to go on as if it had never stopped. */
export interface OptimizerState {
  readonly m: Floats;
  readonly v: Floats;
  update: number;
  /** beta1^t and beta2^t, as running products: Math.pow gives other bits on other machines. */
  power1: number;
  power2: number;
}

export function createOptimizerState(kernel: TrainingKernel, parameters: number): OptimizerState {
  const { allocate } = kernel.precision;
  return { m: allocate(parameters), v: allocate(parameters), update: 0, power1: 1, power2: 1 };
}

/** The Euclidean norm, summed in float64. */
export function normOf(values: Floats): number {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i] * values[i];
  return Math.sqrt(squares);
}

/** Scales a gradient down to the norm `clip` (Pascanu 2013).
 * @returns the norm before */
export function clipNorm(kernel: TrainingKernel, gradient: Floats, clip: number): number {
  const { round } = kernel.precision;
  const norm = normOf(gradient);
  if (norm <= clip) return norm;
  const factor = round(clip / norm);
  for (let i = 0; i < gradient.length; i++) gradient[i] = round(gradient[i] * factor);
  return norm;
}

/** The learning rate at a share of the training: constant, or falling to zero along half a cosine (Loshchilov and
 * Hutter 2017). */
export function learningRateAt({ schedule, learningRate }: OptimizerSettings, share: number): number {
  return schedule === 'constant' ? learningRate : learningRate * 0.5 * (1 + cosinePi(share));
}

/** One clipped update of all parameters, at a share (0 to 1) of the training. */
export function updateParameters(
  kernel: TrainingKernel,
  parameters: Floats,
  gradient: Floats,
  state: OptimizerState,
  settings: OptimizerSettings,
  share: number,
): void {
  clipNorm(kernel, gradient, settings.clip);
  state.update++;
  state.power1 *= 0.9;
  state.power2 *= 0.999;
  kernel.adam(parameters, gradient, state.m, state.v, {
    learningRate: learningRateAt(settings, share),
    weightDecay: settings.optimizer === 'adamw' ? settings.weightDecay : 0,
    correction1: 1 - state.power1,
    correction2: 1 - state.power2,
  });
}
