// The engine's kernel in 128-bit SIMD; wasm.ts puts it behind the interface of the scalar one.
export { multiplyPairs, multiplyQuads } from './inference/integers';
export { prepare, step } from './inference/step';
