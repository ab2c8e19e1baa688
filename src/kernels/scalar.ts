import {
  type FloatTensor,
  type Highway,
  highwaySpec,
  type Model,
  outputSize,
  stateSize,
} from '../model/model.ts';
import { highwaySize, inputSize } from '../signal/inputs.ts';
import type { Batch, CreateKernel, KernelOptions, StepKernel } from './kernel.ts';
import { createLayerSteps, type PrepareProduct, packedProduct, readableProduct } from './layers.ts';
import { type Matrix, multiplyRows } from './sums.ts';

/** y = ((d + V h) + S f) + (r + R v), row by row, each sum in float32 with k ascending. */
function createAnswer(model: Model, inputs: number, blockSize: number, blocks: number) {
  const { head, highway } = model;
  const { hidden } = model.architecture;
  const rows = outputSize(model.output);
  const V = head && matrix(head.weights, 0, rows, hidden);
  const S = head && matrix(head.skip, 0, rows, inputs);
  const rowsPerBlock = rows / blocks;
  const groups = highway?.weights.shape[0] ?? 0;
  // [groups, blocks]
  const R = Array.from({ length: groups * blocks }, (_, i) =>
    matrix((highway as Highway).weights, i * rowsPerBlock * blockSize, rowsPerBlock, blockSize),
  );
  const sums = new Float32Array(rows);
  return (
    state: Float32Array,
    hiddenAt: number,
    input: Float32Array,
    inputAt: number,
    channel: number,
    out: Float32Array,
    outAt: number,
  ) => {
    if (head === undefined || V === undefined || S === undefined) {
      out.fill(0, outAt, outAt + rows);
    } else {
      multiplyRows(V, state, hiddenAt, sums, 0);
      for (let o = 0; o < rows; o++) out[outAt + o] = head.bias.values[o] + sums[o];
      multiplyRows(S, input, inputAt, sums, 0);
      for (let o = 0; o < rows; o++) out[outAt + o] += sums[o];
    }
    if (highway === undefined) return;
    const group = groups > 1 ? channel : 0;
    for (let block = 0; block < blocks; block++) {
      multiplyRows(
        R[group * blocks + block],
        input,
        inputAt + inputs + block * blockSize,
        sums,
        block * rowsPerBlock,
      );
    }
    for (let o = 0; o < rows; o++)
      out[outAt + o] += Math.fround(highway.bias.values[group * rows + o] + sums[o]);
  };
}

function matrix({ values }: FloatTensor, at: number, rows: number, columns: number): Matrix {
  return { values, at, rows, columns };
}

/** The readable kernel: every cell, float32 and int8. The faster ones must give its bits. */
export const createScalarKernel: CreateKernel = (model, options) =>
  createKernel(model, options, readableProduct);

/** The same with integer products for machines without SIMD. */
export const createPackedKernel: CreateKernel = (model, options) =>
  createKernel(model, options, packedProduct);

function createKernel(
  model: Model,
  { extra, batchLimit }: KernelOptions,
  prepareProduct: PrepareProduct,
): StepKernel {
  const { cell, layers, hidden, phases } = model.architecture;
  const networkInputs = inputSize(model.input);
  const highway = highwaySpec(model);
  const highwayInputs = highway ? highwaySize(highway, model.input.features) : 0;
  const blocks = highway && !highway.allFeatures ? highway.targets.length : 1;
  const rows = outputSize(model.output);
  const layerFloats = stateSize({ cell, hidden });
  const phaseFloats = layers * layerFloats;
  const stride = phases * phaseFloats + extra;
  const frameInputs = networkInputs + highwayInputs;
  const hasState = layerFloats > 0;
  // a feedforward layer has no state to keep: its h lives here for the length of a step
  const scratch = new Float32Array(layers * hidden);
  const layerStride = hasState ? layerFloats : hidden;
  const steps = createLayerSteps(model, networkInputs, prepareProduct);
  const answer = createAnswer(model, networkInputs, highwayInputs / blocks, blocks);
  const inputs = new Float32Array(batchLimit * frameInputs);
  const outputs = new Float32Array(batchLimit * rows);
  const batch: Batch = {
    slots: new Int32Array(batchLimit),
    phases: new Int32Array(batchLimit),
    channels: new Int32Array(batchLimit),
  };
  let memory = new Float32Array(0);

  return {
    stateSize: phases * phaseFloats,
    stride,
    batch,
    inputSize: frameInputs,
    inputs,
    outputs,
    memory: () => memory,
    reserve(slots) {
      if (slots * stride <= memory.length) return;
      const grown = new Float32Array(slots * stride);
      grown.set(memory);
      memory = grown;
    },
    step(from, to) {
      const state = hasState ? memory : scratch;
      for (let b = from; b < to; b++) {
        const base = hasState ? batch.slots[b] * stride + batch.phases[b] * phaseFloats : 0;
        const inputAt = b * frameInputs;
        const channel = batch.channels[b];
        for (let l = 0; l < layers; l++) {
          const at = base + l * layerStride;
          // h of the layer below lies at the start of its state
          if (l === 0) steps[l](inputs, inputAt, state, at, channel);
          else steps[l](state, at - layerStride, state, at, 0);
        }
        const hiddenAt = base + Math.max(0, layers - 1) * layerStride;
        answer(state, hiddenAt, inputs, inputAt, channel, outputs, b * rows);
      }
    },
  };
}
