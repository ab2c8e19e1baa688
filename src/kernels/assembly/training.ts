// The trainer's kernel in 128-bit SIMD; training-simd.ts puts it behind the interface of the scalar one.
export { drop } from './dropout';
export { gruBackward, gruForward, lstmBackward, lstmForward, rnnBackward, rnnForward } from './gates';
export { accumulate, firstFree } from './gradients';
export { affine, multiply, pack, packBack } from './products';
export { lstmBackwardSteps, lstmForwardSteps } from './steps';
export { accumulateBias, adam, add, scale } from './sums';
