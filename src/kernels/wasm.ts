import type { Model } from '../model/model.ts';
import { createInferenceMemory, growTo } from './inference-memory.ts';
import { inferenceModule } from './inference-module.ts';
import { type BatchAddresses, type Packing, statesWord, stepSizes, writePlan } from './inference-plan.ts';
import type { Batch, CreateKernel, KernelOptions, StepKernel } from './kernel.ts';

/** What the module's integer products take. */
type Product = readonly [
  out: number,
  base: number,
  weights: number,
  rowScales: number,
  x: number,
  scale: number,
  blocks: number,
  quads: number,
];

/** The functions of assembly/inference: sizes and addresses. */
interface InferenceExports {
  prepare(...sizes: [at: number, inputs: number, hidden: number, outputs: number]): number;
  step(plan: number, from: number, to: number): void;
  addPairs(...product: Product): void;
  addQuads(...product: Product): void;
}

let compiled: WebAssembly.Module | null | undefined;

/** Null where the engine has no SIMD. */
function compile(): WebAssembly.Module | null {
  if (compiled === undefined) compiled = compileModule(inferenceModule);
  return compiled;
}

/** @returns null where the engine does not know its instructions */
export function compileModule(base64: string): WebAssembly.Module | null {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null;
}

/** Whether this machine can run `createWasmKernel`. */
export function hasSimd(): boolean {
  return compile() !== null;
}

/** An instance of the SIMD step and its memory. */
export interface Inference {
  readonly wasm: InferenceExports;
  readonly memory: WebAssembly.Memory;
}

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Inference {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { wasm: exports as unknown as InferenceExports, memory };
}

/** An instance over a memory of its own; undefined where the engine has no SIMD. */
export function openInference(): Inference | undefined {
  const module = compile();
  return module ? instantiate(module, new WebAssembly.Memory({ initial: 1 })) : undefined;
}

/** Whether the SIMD step takes this model: the int8 LSTM, or a highway alone. */
export function isForSimd({ architecture, layers }: Model): boolean {
  const isInteger = layers.every(({ inputWeights }) => inputWeights.kind === 'int8');
  return architecture.cell === 'none' || (architecture.cell === 'lstm' && isInteger);
}

interface Views {
  readonly batch: Batch;
  readonly inputs: Float32Array;
  readonly outputs: Float32Array;
  /** From the first slot's states on. */
  readonly states: Float32Array;
}

/** The step in 128-bit SIMD, with the bits of the scalar kernel.
 * @throws where the engine has no SIMD, or the model is none for it */
export function createWasmKernel(packing: Packing): CreateKernel {
  return (model, options) => {
    const inference = openInference();
    if (inference === undefined || !isForSimd(model)) throw new Error('no SIMD for this machine or model');
    return layOutKernel(inference, model, options, { packing }).kernel;
  };
}

export interface LaidOutKernel {
  readonly kernel: StepKernel;
  /** The address that the module's `step` takes. */
  readonly plan: number;
  /** What the module's `prepare` takes in every thread but the first. */
  readonly scratches: readonly Scratch[];
}

/** A thread's scratch, as `prepare` takes it. */
type Scratch = Parameters<InferenceExports['prepare']>;

/** Advances a batch's positions from..to-1. */
export type Step = StepKernel['step'];

interface Laying {
  readonly packing: Packing;
  readonly threads?: number;
  /** Makes of the step of one thread that of all. */
  readonly share?: (step: Step) => Step;
}

/** Packs a model into the memory of an instance. */
export function layOutKernel(
  { wasm, memory }: Inference,
  model: Model,
  { extra, batchLimit }: KernelOptions,
  { packing, threads = 1, share = (step) => step }: Laying,
): LaidOutKernel {
  const sizes = stepSizes(model, extra);
  const { stride, frame, outputs, inputs, hidden } = sizes;
  const firstFree = wasm.prepare(0, inputs, hidden, outputs);
  const parts = createInferenceMemory(memory, firstFree);
  // what lies before it is the first thread's scratch: as much is enough for another's
  const scratches = Array.from(
    { length: threads - 1 },
    (): Scratch => [parts.take(firstFree), inputs, hidden, outputs],
  );
  const indices = () => parts.take(4 * batchLimit);
  const at: BatchAddresses = {
    ...{ slots: indices(), phases: indices(), channels: indices() },
    ...{ inputs: parts.take(4 * batchLimit * frame), outputs: parts.take(4 * batchLimit * outputs) },
  };
  const plan = writePlan(model, sizes, at, packing, parts);
  const statesAt = parts.next();
  new Uint32Array(memory.buffer, plan)[statesWord] = statesAt;
  let views = look(0);

  function look(slots: number): Views {
    const { buffer } = memory;
    return {
      batch: {
        slots: new Int32Array(buffer, at.slots, batchLimit),
        phases: new Int32Array(buffer, at.phases, batchLimit),
        channels: new Int32Array(buffer, at.channels, batchLimit),
      },
      inputs: new Float32Array(buffer, at.inputs, batchLimit * frame),
      outputs: new Float32Array(buffer, at.outputs, batchLimit * outputs),
      states: new Float32Array(buffer, statesAt, slots * stride),
    };
  }

  const kernel: StepKernel = {
    ...{ stateSize: stride - extra, stride, inputSize: frame },
    get batch() {
      return views.batch;
    },
    get inputs() {
      return views.inputs;
    },
    get outputs() {
      return views.outputs;
    },
    memory: () => views.states,
    reserve(slots) {
      if (slots * stride <= views.states.length) return;
      growTo(memory, statesAt + 4 * slots * stride + SLACK);
      views = look(slots);
    },
    step: share((from, to) => wasm.step(plan, from, to)),
  };
  return { kernel, plan, scratches };
}

/** Bytes that a vector may read beyond the last slot. */
const SLACK = 64;
