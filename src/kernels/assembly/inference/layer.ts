// One layer of an int8 LSTM for one frame, or for two of different streams at once.
import { preActivations, updateState } from './cell';
import { multiplyPairs, multiplyPairsByTwo, multiplyQuads, multiplyQuadsByTwo } from './integers';
import {
  BIAS,
  BIAS_STRIDE,
  HIDDEN_LIMIT,
  INPUT_LIMIT,
  INPUT_SCALES,
  RECURRENT_SCALES,
  U,
  U_IN_QUADS,
  W,
  W_IN_QUADS,
} from './plan';
import { inverseOf, largestMagnitude, quantizePairs, quantizeQuads, scaleOf } from './quantize';
import { accU, accW, apart, aside, qh, qx, z } from './scratch';

export function stepLayer(layer: usize, inputs: i32, hidden: i32, x: usize, h: usize, channel: i32): void {
  const xScale = quantize(qx, x, inputs, load<f32>(layer, INPUT_LIMIT), load<i32>(layer, W_IN_QUADS));
  const hScale = quantize(qh, h, hidden, load<f32>(layer, HIDDEN_LIMIT), load<i32>(layer, U_IN_QUADS));
  const blocks = (hidden + 3) >> 2;
  multiply(accW, load<usize>(layer, W), qx, blocks, inputs, load<i32>(layer, W_IN_QUADS));
  multiply(accU, load<usize>(layer, U), qh, blocks, hidden, load<i32>(layer, U_IN_QUADS));
  finish(layer, 0, hidden, h, channel, xScale, hScale);
}

export function stepLayerOfTwo(
  layer: usize,
  inputs: i32,
  hidden: i32,
  x: usize,
  h: usize,
  channel: i32,
  x1: usize,
  h1: usize,
  channel1: i32,
): void {
  const inputLimit = load<f32>(layer, INPUT_LIMIT);
  const hiddenLimit = load<f32>(layer, HIDDEN_LIMIT);
  const wInQuads = load<i32>(layer, W_IN_QUADS);
  const uInQuads = load<i32>(layer, U_IN_QUADS);
  const xScale = quantize(qx, x, inputs, inputLimit, wInQuads);
  const xScale1 = quantize(qx + apart, x1, inputs, inputLimit, wInQuads);
  const hScale = quantize(qh, h, hidden, hiddenLimit, uInQuads);
  const hScale1 = quantize(qh + apart, h1, hidden, hiddenLimit, uInQuads);
  const blocks = (hidden + 3) >> 2;
  multiplyByTwo(accW, load<usize>(layer, W), qx, blocks, inputs, wInQuads);
  multiplyByTwo(accU, load<usize>(layer, U), qh, blocks, hidden, uInQuads);
  finish(layer, 0, hidden, h, channel, xScale, hScale);
  finish(layer, apart, hidden, h1, channel1, xScale1, hScale1);
}

/** @returns the scale */
function quantize(out: usize, x: usize, length: i32, limit: f32, inQuads: i32): f32 {
  const m = largestMagnitude(x, length);
  if (inQuads) quantizeQuads(out, x, length, inverseOf(m, limit));
  else quantizePairs(out, x, length, inverseOf(m, limit));
  return scaleOf(m, limit);
}

function multiply(out: usize, weights: usize, x: usize, blocks: i32, columns: i32, inQuads: i32): void {
  if (inQuads) multiplyQuads(out, weights, x, blocks, (columns + 3) >> 2);
  else multiplyPairs(out, weights, x, blocks, (columns + 3) >> 2);
}

function multiplyByTwo(out: usize, weights: usize, x: usize, blocks: i32, columns: i32, inQuads: i32): void {
  if (inQuads) multiplyQuadsByTwo(out, apart, weights, x, apart, blocks, (columns + 3) >> 2);
  else multiplyPairsByTwo(out, apart, weights, x, apart, blocks, (columns + 3) >> 2);
}

/** @param set which frame's scratch: 0 or `apart` */
function finish(
  layer: usize,
  set: usize,
  hidden: i32,
  h: usize,
  channel: i32,
  xScale: f32,
  hScale: f32,
): void {
  preActivations(
    z + set,
    (hidden + 3) >> 2,
    load<usize>(layer, BIAS) + <usize>channel * load<usize>(layer, BIAS_STRIDE),
    accW + set,
    load<usize>(layer, INPUT_SCALES),
    xScale,
    accU + set,
    load<usize>(layer, RECURRENT_SCALES),
    hScale,
  );
  updateState(z + set, aside + set, hidden, h);
}
