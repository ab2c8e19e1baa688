import type { CreateKernel } from './kernel.ts';
import { fasterPacking } from './packing.ts';
import { createScalarKernel } from './scalar.ts';
import { createWasmKernel, hasSimd, isForSimd } from './wasm.ts';

/** The fastest implementation of the step that this machine has for the model. All give the same bits. */
export const createStepKernel: CreateKernel = (model, options) =>
  hasSimd() && isForSimd(model)
    ? createWasmKernel(fasterPacking())(model, options)
    : createScalarKernel(model, options);
