// The engine's kernel in 128-bit SIMD; wasm.ts puts it behind the interface of the scalar one.
export { addPairs, addQuads } from './inference/integers';
export { prepare, step } from './inference/step';
