import {
  type Head,
  highwaySpec,
  type Layer,
  type Model,
  outputSize,
  type QuantizedTensor,
  stateSize,
} from '../model/model.ts';
import { highwaySize, inputSize } from '../signal/inputs.ts';
import type { InferenceMemory } from './inference-memory.ts';
import { packHalved, packPairs, packPanels, packQuads } from './pack.ts';
import { joinPlanes } from './quantized.ts';

/** How integer matrices lie: `pairs` of int16 for what x86 is good at, `quads` of int8 for arm64. Same integers. */
export type Packing = 'pairs' | 'quads';

/** Addresses of what changes with the batch. */
export interface BatchAddresses {
  readonly slots: number;
  readonly phases: number;
  readonly channels: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** Sizes of a model as its step sees them, in floats. */
export interface StepSizes {
  /** I */
  readonly inputs: number;
  /** I + D */
  readonly frame: number;
  readonly hidden: number;
  /** O */
  readonly outputs: number;
  /** One phase's state: [layers, h then c]. */
  readonly phase: number;
  /** A slot: [P, layers, h then c], then the caller's. */
  readonly stride: number;
}

export function stepSizes(model: Model, extra: number): StepSizes {
  const { cell, layers, hidden, phases } = model.architecture;
  const highway = highwaySpec(model);
  const inputs = inputSize(model.input);
  const phase = layers * stateSize({ cell, hidden });
  return {
    ...{ inputs, hidden, phase, outputs: outputSize(model.output), stride: phases * phase + extra },
    frame: inputs + (highway ? highwaySize(highway, model.input.features) : 0),
  };
}

/** Packs the model's weights into the memory.
 * @returns the address of the words that assembly/inference/plan.ts names, in its order */
export function writePlan(
  model: Model,
  sizes: StepSizes,
  batch: BatchAddresses,
  packing: Packing,
  memory: InferenceMemory,
): number {
  const layers = model.layers.map((layer, l) => layerWords(layer, l, sizes.hidden, packing, memory));
  const words = [
    ...[batch.slots, batch.phases, batch.channels],
    ...[batch.inputs, 4 * sizes.frame, batch.outputs, sizes.outputs],
    ...[0, 4 * sizes.stride, 4 * sizes.phase, sizes.hidden, sizes.inputs, layers.length],
    ...headWords(model.head, sizes, memory),
    ...highwayWords(model, sizes, memory),
    ...layers.flat(),
  ];
  const at = memory.take(4 * words.length);
  new Uint32Array(memory.memory.buffer, at, words.length).set(words);
  return at;
}

/** Where the plan says where the states begin, which is known when all else lies there. */
export const statesWord = 7;

function layerWords(layer: Layer, index: number, hidden: number, packing: Packing, memory: InferenceMemory) {
  const W = layer.inputWeights as QuantizedTensor;
  const U = layer.recurrentWeights as QuantizedTensor;
  const { bias, inputLimit, hiddenLimit } = layer;
  const rows = 4 * hidden;
  const matrix = (tensor: QuantizedTensor, inQuads: boolean) =>
    memory.put(inQuads ? packQuads(joinPlanes(tensor), hidden) : packPairs(joinPlanes(tensor), hidden));
  const vector = (values: Float32Array, at = 0) => packHalved(values, at, hidden);
  const biases = Array.from({ length: bias.values.length / rows }, (_, i) => vector(bias.values, i * rows));
  const wInQuads = packing === 'quads' && fitsBytes(W, inputLimit);
  const uInQuads = packing === 'quads' && fitsBytes(U, hiddenLimit);
  return [
    ...[matrix(W, wInQuads), matrix(U, uInQuads)],
    ...[memory.put(vector(W.rowScales)), memory.put(vector(U.rowScales)), memory.put(join(biases))],
    index === 0 ? biases[0].byteLength : 0,
    ...[floatBits(inputLimit), floatBits(hiddenLimit), Number(wInQuads), Number(uInQuads)],
  ];
}

/** Whether sums of two products stay inside int16. */
function fitsBytes({ lowPlane }: QuantizedTensor, limit: number): boolean {
  return lowPlane === undefined && limit <= 127;
}

function headWords(head: Head | undefined, { outputs, hidden, inputs }: StepSizes, memory: InferenceMemory) {
  if (head === undefined) return [0, 0, 0];
  return [
    memory.put(head.bias.values),
    memory.put(packPanels(head.weights.values, 0, outputs, hidden)),
    memory.put(packPanels(head.skip.values, 0, outputs, inputs)),
  ];
}

function highwayWords(
  { highway, output }: Model,
  { outputs, frame, inputs }: StepSizes,
  memory: InferenceMemory,
) {
  if (highway === undefined) return [0, 0, 0, 0, 1, 0, 0];
  const groups = highway.weights.shape[0];
  const blocks = highway.allFeatures ? 1 : output.targets.length;
  const columns = (frame - inputs) / blocks;
  const panels = Array.from({ length: groups * blocks }, (_, i) =>
    packPanels(highway.weights.values, (i * outputs * columns) / blocks, outputs / blocks, columns),
  );
  const [{ byteLength }] = panels;
  const isOne = groups === 1;
  return [
    ...[memory.put(highway.bias.values), memory.put(join(panels))],
    ...[isOne ? 0 : 4 * outputs, isOne ? 0 : blocks * byteLength],
    ...[blocks, columns, byteLength],
  ];
}

function join(parts: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function floatBits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0];
}
