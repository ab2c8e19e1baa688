// The trainer's kernel in 128-bit SIMD; training-simd.ts puts it behind the interface of the scalar one.
export { drop } from './training/dropout';
export {
  gruBackward,
  gruForward,
  lstmBackward,
  lstmForward,
  rnnBackward,
  rnnForward,
} from './training/gates';
export { accumulate, firstFree } from './training/gradients';
export { affine, multiply, pack, packBack } from './training/products';
export { lstmBackwardSteps, lstmForwardSteps } from './training/steps';
export { accumulateBias, adam, add, scale } from './training/sums';
