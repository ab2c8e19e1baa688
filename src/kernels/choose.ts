import type { CreateKernel } from './kernel.ts';
import { fasterPacking } from './packing.ts';
import { createPackedKernel } from './scalar.ts';
import { createWasmKernel, hasSimd, isForSimd } from './wasm.ts';

/** The fastest implementation of the step that this machine has for the model. All give the same bits. */
export const createStepKernel: CreateKernel = (model, options) => {
  if (!hasSimd() || !isForSimd(model)) return createPackedKernel(model, options);
  try {
    return createWasmKernel(fasterPacking())(model, options);
  } catch (error) {
    // each WebAssembly memory reserves gigabytes of addresses, which a limit on them refuses
    if (error instanceof RangeError) return createPackedKernel(model, options);
    throw error;
  }
};
