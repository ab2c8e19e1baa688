import type { CreateKernel, StepKernel } from '../../src/kernels/kernel.ts';
import { createPackedKernel, createScalarKernel } from '../../src/kernels/scalar.ts';
import { createWasmKernel, isForSimd } from '../../src/kernels/wasm.ts';
import type { Model } from '../../src/model/model.ts';
import { createDice } from '../fixtures/random-model.ts';

/** Every implementation of the time step runs every case. */
export const kernels: readonly (readonly [string, CreateKernel])[] = [
  ['scalar', createScalarKernel],
  ['two-rows', createPackedKernel],
  ['SIMD, packed in pairs,', orScalar(createWasmKernel('pairs'))],
  ['SIMD, packed in quads,', orScalar(createWasmKernel('quads'))],
];

/** The scalar kernel for what the fast one does not take. */
function orScalar(create: CreateKernel): CreateKernel {
  return (model, options) => (isForSimd(model) ? create : createScalarKernel)(model, options);
}

/** Floats a slot beside its states, which a kernel must leave alone. */
export const EXTRA = 3;

/** A kernel with room for some slots, their extra floats marked. */
export function openKernel(
  create: CreateKernel,
  model: Model,
  { slots = 1, batchLimit = 4 } = {},
): StepKernel {
  const kernel = create(model, { extra: EXTRA, batchLimit });
  kernel.reserve(slots);
  for (let slot = 0; slot < slots; slot++) extraOf(kernel, slot).fill(777);
  return kernel;
}

/** Its states, [P, layers, h then c]. */
export function stateOf(kernel: StepKernel, slot = 0): Float32Array {
  return kernel.memory().subarray(slot * kernel.stride, slot * kernel.stride + kernel.stateSize);
}

export function extraOf(kernel: StepKernel, slot = 0): Float32Array {
  return kernel.memory().subarray(slot * kernel.stride + kernel.stateSize, (slot + 1) * kernel.stride);
}

export interface Place {
  readonly slot?: number;
  readonly phase?: number;
  readonly channel?: number;
}

export function place(kernel: StepKernel, at: number, input: ArrayLike<number>, where: Place = {}): void {
  const { slot = 0, phase = 0, channel = 0 } = where;
  kernel.batch.slots[at] = slot;
  kernel.batch.phases[at] = phase;
  kernel.batch.channels[at] = channel;
  kernel.inputs.set(Float32Array.from(input), at * kernel.inputSize);
}

/** Steps one frame at position `at` of the batch.
 * @returns a copy of its outputs */
export function stepOne(
  kernel: StepKernel,
  input: ArrayLike<number>,
  where: Place & { readonly at?: number } = {},
): Float32Array {
  const { at = 0 } = where;
  place(kernel, at, input, where);
  kernel.step(at, at + 1);
  return outputsOf(kernel, at);
}

export function outputsOf(kernel: StepKernel, at: number): Float32Array {
  const size = kernel.outputs.length / kernel.batch.slots.length;
  return kernel.outputs.slice(at * size, (at + 1) * size);
}

/** Inputs as they are in life: mostly small differences, sometimes a large one or nothing at all. */
export function randomInputs(length: number, size: number, seed = 1): Float32Array[] {
  const dice = createDice(seed);
  return Array.from({ length }, () => {
    const reach = dice.chance(0.05) ? 0 : dice.chance(0.1) ? 20 : 1;
    return Float32Array.from({ length: size }, () => reach * (2 * dice.next() - 1));
  });
}
