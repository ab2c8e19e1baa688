// One layer of an int8 LSTM for one frame, or for two of different streams at once:
// z = (b + accW*(s_W*s_x)) + accU*(s_U*s_h), as quantizedPreActivation in layers.ts, then the gates.
import { updateState } from './cell';
import { addPairs, addPairsByTwo, addQuads, addQuadsByTwo } from './integers';
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
import { apart, aside, q, z } from './scratch';

export function stepLayer(layer: usize, inputs: i32, hidden: i32, x: usize, h: usize, channel: i32): void {
  const blocks = (hidden + 3) >> 2;
  const bias = biasOf(layer, channel);
  let inQuads = load<i32>(layer, W_IN_QUADS);
  let weights = load<usize>(layer, W);
  let scales = load<usize>(layer, INPUT_SCALES);
  let quads = (inputs + 3) >> 2;
  const xScale = quantize(q, x, inputs, load<f32>(layer, INPUT_LIMIT), inQuads);
  if (inQuads) addQuads(z, bias, weights, scales, q, xScale, blocks, quads);
  else addPairs(z, bias, weights, scales, q, xScale, blocks, quads);
  inQuads = load<i32>(layer, U_IN_QUADS);
  weights = load<usize>(layer, U);
  scales = load<usize>(layer, RECURRENT_SCALES);
  quads = (hidden + 3) >> 2;
  const hScale = quantize(q, h, hidden, load<f32>(layer, HIDDEN_LIMIT), inQuads);
  if (inQuads) addQuads(z, z, weights, scales, q, hScale, blocks, quads);
  else addPairs(z, z, weights, scales, q, hScale, blocks, quads);
  updateState(z, aside, hidden, h);
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
  const blocks = (hidden + 3) >> 2;
  const z1 = z + apart;
  const q1 = q + apart;
  const bias = biasOf(layer, channel);
  const bias1 = biasOf(layer, channel1);
  let limit = load<f32>(layer, INPUT_LIMIT);
  let inQuads = load<i32>(layer, W_IN_QUADS);
  let weights = load<usize>(layer, W);
  let scales = load<usize>(layer, INPUT_SCALES);
  let quads = (inputs + 3) >> 2;
  const xScale = quantize(q, x, inputs, limit, inQuads);
  const xScale1 = quantize(q1, x1, inputs, limit, inQuads);
  if (inQuads) addQuadsByTwo(z, bias, bias1, weights, scales, q, apart, xScale, xScale1, blocks, quads);
  else addPairsByTwo(z, bias, bias1, weights, scales, q, apart, xScale, xScale1, blocks, quads);
  limit = load<f32>(layer, HIDDEN_LIMIT);
  inQuads = load<i32>(layer, U_IN_QUADS);
  weights = load<usize>(layer, U);
  scales = load<usize>(layer, RECURRENT_SCALES);
  quads = (hidden + 3) >> 2;
  const hScale = quantize(q, h, hidden, limit, inQuads);
  const hScale1 = quantize(q1, h1, hidden, limit, inQuads);
  if (inQuads) addQuadsByTwo(z, z, z1, weights, scales, q, apart, hScale, hScale1, blocks, quads);
  else addPairsByTwo(z, z, z1, weights, scales, q, apart, hScale, hScale1, blocks, quads);
  updateState(z, aside, hidden, h);
  updateState(z1, aside + apart, hidden, h1);
}

function biasOf(layer: usize, channel: i32): usize {
  return load<usize>(layer, BIAS) + <usize>channel * load<usize>(layer, BIAS_STRIDE);
}

/** @returns the scale */
function quantize(out: usize, x: usize, length: i32, limit: f32, inQuads: i32): f32 {
  const m = largestMagnitude(x, length);
  if (inQuads) quantizeQuads(out, x, length, inverseOf(m, limit));
  else quantizePairs(out, x, length, inverseOf(m, limit));
  return scaleOf(m, limit);
}
