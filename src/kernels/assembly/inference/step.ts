// The time step of an int8 LSTM over a batch of frames of distinct streams.
import { answer, answerTwo } from './answer';
import { stepLayer, stepLayerOfTwo } from './layer';
import {
  CHANNELS,
  HIDDEN,
  INPUT_SIZE,
  INPUT_STRIDE,
  INPUTS,
  LAYER_BYTES,
  LAYER_COUNT,
  LAYERS,
  OUTPUT_ROWS,
  OUTPUTS,
  PHASE_STRIDE,
  PHASES,
  SLOTS,
  STATE_STRIDE,
  STATES,
} from './plan';
import { layOut } from './scratch';

/** Lays out this thread's scratch behind the memory that the module's constants take, or from `at` on.
 * @returns where the memory is free from */
export function prepare(at: usize, inputs: i32, hidden: i32, outputs: i32): usize {
  return layOut(at === 0 ? (__heap_base + 63) & ~63 : at, inputs, hidden, outputs);
}

/** Advances the frames at positions from..to-1 of the batch. */
export function step(plan: usize, from: i32, to: i32): void {
  let b = from;
  for (; b + 1 < to; b += 2) stepTwo(plan, b);
  if (b < to) stepOne(plan, b);
}

function stepOne(plan: usize, b: i32): void {
  const hidden = load<i32>(plan, HIDDEN);
  const layerState = (<usize>hidden) << 3;
  const input = inputOf(plan, b);
  const channel = channelOf(plan, b);
  let x = input;
  let inputs = load<i32>(plan, INPUT_SIZE);
  let h = stateOf(plan, b);
  let layer = plan + LAYERS;
  const end = layer + load<usize>(plan, LAYER_COUNT) * LAYER_BYTES;
  for (; layer < end; layer += LAYER_BYTES) {
    stepLayer(layer, inputs, hidden, x, h, channel);
    x = h;
    inputs = hidden;
    h += layerState;
  }
  answer(plan, x, input, channel, outputOf(plan, b));
}

function stepTwo(plan: usize, b: i32): void {
  const hidden = load<i32>(plan, HIDDEN);
  const layerState = (<usize>hidden) << 3;
  const channel = channelOf(plan, b);
  const channel1 = channelOf(plan, b + 1);
  let x = inputOf(plan, b);
  let x1 = inputOf(plan, b + 1);
  let inputs = load<i32>(plan, INPUT_SIZE);
  let h = stateOf(plan, b);
  let h1 = stateOf(plan, b + 1);
  let layer = plan + LAYERS;
  const end = layer + load<usize>(plan, LAYER_COUNT) * LAYER_BYTES;
  for (; layer < end; layer += LAYER_BYTES) {
    stepLayerOfTwo(layer, inputs, hidden, x, h, channel, x1, h1, channel1);
    x = h;
    x1 = h1;
    inputs = hidden;
    h += layerState;
    h1 += layerState;
  }
  const stride = load<usize>(plan, INPUT_STRIDE);
  answerTwo(plan, x, x1 - x, inputOf(plan, b), stride, channel, channel1, outputOf(plan, b));
}

function inputOf(plan: usize, b: i32): usize {
  return load<usize>(plan, INPUTS) + <usize>b * load<usize>(plan, INPUT_STRIDE);
}

function outputOf(plan: usize, b: i32): usize {
  return load<usize>(plan, OUTPUTS) + ((<usize>b * load<usize>(plan, OUTPUT_ROWS)) << 2);
}

function channelOf(plan: usize, b: i32): i32 {
  return load<i32>(load<usize>(plan, CHANNELS) + ((<usize>b) << 2));
}

/** h of the first layer in the stream's phase of this frame. */
function stateOf(plan: usize, b: i32): usize {
  const at = (<usize>b) << 2;
  const slot = load<usize>(load<usize>(plan, SLOTS) + at) * load<usize>(plan, STATE_STRIDE);
  const phase = load<usize>(load<usize>(plan, PHASES) + at) * load<usize>(plan, PHASE_STRIDE);
  return load<usize>(plan, STATES) + slot + phase;
}
