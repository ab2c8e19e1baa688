import type { Model } from '../model/model.ts';
import { createInferenceMemory, growTo } from './inference-memory.ts';
import { inferenceModule } from './inference-module.ts';
import { type BatchAddresses, type Packing, statesWord, stepSizes, writePlan } from './inference-plan.ts';
import type { Batch, CreateKernel, StepKernel } from './kernel.ts';

/** The functions of assembly/inference: sizes and addresses. */
interface Exports {
  prepare(at: number, inputs: number, hidden: number, outputs: number): number;
  step(plan: number, from: number, to: number): void;
  multiplyPairs(out: number, weights: number, x: number, blocks: number, quads: number): void;
  multiplyQuads(out: number, weights: number, x: number, blocks: number, quads: number): void;
}

let compiled: WebAssembly.Module | null | undefined;

/** Null where the engine has no SIMD. */
function compile(): WebAssembly.Module | null {
  if (compiled !== undefined) return compiled;
  const bytes = Uint8Array.from(atob(inferenceModule), (character) => character.charCodeAt(0));
  compiled = WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null;
  return compiled;
}

/** Whether this machine can run `createWasmKernel`. */
export function hasSimd(): boolean {
  return compile() !== null;
}

/** An instance over a memory of its own; undefined where the engine has no SIMD. */
export function openInference(): { wasm: Exports; memory: WebAssembly.Memory } | undefined {
  const module = compile();
  if (module === null) return undefined;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { wasm: exports as unknown as Exports, memory };
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
  return (model, { extra, batchLimit }): StepKernel => {
    const opened = openInference();
    if (opened === undefined || !isForSimd(model)) throw new Error('no SIMD for this machine or model');
    const { wasm, memory } = opened;
    const sizes = stepSizes(model, extra);
    const { stride, frame, outputs } = sizes;
    const parts = createInferenceMemory(memory, wasm.prepare(0, sizes.inputs, sizes.hidden, outputs));
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

    return {
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
      step: (from, to) => wasm.step(plan, from, to),
    };
  };
}

/** Bytes that a vector may read beyond the last slot. */
const SLACK = 64;
