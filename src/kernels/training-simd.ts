import { tanh } from '../math/activations.ts';
import type {
  AdamSettings,
  GateBackward,
  GateForward,
  Packed,
  TimeRows,
  TrainingKernel,
} from './training.ts';
import { createTrainingMemory } from './training-memory.ts';
import { trainingModule } from './training-module.ts';
import { adamConstants, keptFactor } from './training-scalar.ts';
import { createSteps } from './training-steps.ts';

type Name =
  | (
      | 'firstFree'
      | 'pack'
      | 'packBack'
      | 'multiply'
      | 'affine'
      | 'accumulate'
      | 'add'
      | 'scale'
      | 'drop'
      | 'accumulateBias'
    )
  | ('lstmForwardSteps' | 'lstmBackwardSteps')
  | ('rnnForward' | 'rnnBackward' | 'lstmForward' | 'lstmBackward' | 'gruForward' | 'gruBackward' | 'adam');
/** The functions of assembly/: sizes and addresses. */
type Exports = Readonly<Record<Name, (...numbers: number[]) => number>>;

const MOST_PAGES = 65536;

let compiled: WebAssembly.Module | null | undefined;

/** Null where the engine has no SIMD or no memory that threads can share. */
function compile(): WebAssembly.Module | null {
  if (compiled !== undefined) return compiled;
  const bytes = Uint8Array.from(atob(trainingModule), (character) => character.charCodeAt(0));
  compiled = WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null;
  return compiled;
}

/** Whether this machine can run `createSimdTrainingKernel`. */
export function hasSimd(): boolean {
  return compile() !== null;
}

/** A memory for one training; threads that allocate the same in the same order see the same arrays. */
export function createSharedMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared: true });
}

/** The trainer's arithmetic in 128-bit SIMD, with the bits of the scalar kernel. All arrays come from its
 * `precision.allocate` and `allocateIndices`.
 * @param thread its number among the threads that share the memory
 * @throws where there is no SIMD */
export function createSimdTrainingKernel(
  shared: WebAssembly.Memory = createSharedMemory(),
  thread = 0,
): TrainingKernel {
  const module = compile();
  if (module === null) throw new Error('WebAssembly has no SIMD here');
  const instance = new WebAssembly.Instance(module, { env: { memory: shared } });
  const wasm = instance.exports as unknown as Exports;
  const memory = createTrainingMemory(shared, wasm.firstFree(thread));
  const at = memory.addressOf;
  const round = Math.fround;

  const parts: Omit<TrainingKernel, 'forwardSteps' | 'backwardSteps'> = {
    precision: { round, tanh, allocate: memory.floats },
    allocateIndices: memory.indices,
    allocateDoubles: memory.doubles,

    createPacked(n, k) {
      const longest = Math.max(padded(n) * k, n * padded(k));
      return { n, k, values: memory.floats(longest) };
    },
    pack({ n, k, values }, w) {
      wasm.pack(at(values), at(w), n, k);
    },
    packBack({ n, k, values }, w) {
      wasm.packBack(at(values), at(w), n, k);
    },
    multiply(out, x, { n, k, values }: Packed, rows) {
      wasm.multiply(at(out), at(x), at(values), rows, n, k, 0);
    },
    affine(out, x, { n, k, values }, bias, biasRows) {
      wasm.affine(at(out), at(x), at(values), biasRows.length, n, k, at(bias), at(biasRows));
    },
    multiplyBack(out, d, { n, k, values }: Packed, rows, onto) {
      wasm.multiply(at(out), at(d), at(values), rows, k, n, onto ? 1 : 0);
    },
    accumulate(gradient, d, x, { steps, rows }: TimeRows, n, k) {
      wasm.accumulate(at(gradient), at(d), at(x), steps, rows, n, k);
    },
    accumulateBias(gradient, d, biasRows, { steps, rows }, n, { from, stride } = { from: 0, stride: n }) {
      wasm.accumulateBias(at(gradient), at(d) + 4 * from, at(biasRows), steps, rows, n, stride);
    },
    add(out, x, length) {
      wasm.add(at(out), at(x), length);
    },

    scale(out, x, length) {
      wasm.scale(at(out), at(x), length);
    },
    drop(out, factors, x, { steps, rows, hidden, rate, counters, firstUnit, unitsPerStep }) {
      const kept = keptFactor(rate, round);
      // numbers are multiples of 2^-24, so this compares like the rate itself
      const threshold = Math.ceil(rate * 2 ** 24);
      for (let q = 0; q < steps * rows; q++) {
        const unit = firstUnit + Math.floor(q / rows) * unitsPerStep;
        const from = 4 * q * hidden;
        const [to, factorsAt, xAt] = [at(out) + from, at(factors) + from, at(x) + from];
        wasm.drop(to, factorsAt, xAt, hidden, counters[q % rows], unit, threshold, kept);
      }
    },

    rnnForward({ rows, hidden, zx, zu, h }: GateForward) {
      wasm.rnnForward(rows * hidden, at(zx), at(zu), at(h));
    },
    rnnBackward({ rows, hidden, h, dh, dzx }: GateBackward) {
      wasm.rnnBackward(rows * hidden, at(h), at(dh), at(dzx));
    },
    lstmForward({ rows, hidden, zx, zu, cPrevious, gates, aside, c, h }: GateForward) {
      wasm.lstmForward(rows, hidden, at(zx), at(zu), at(cPrevious), at(gates), at(aside), at(c), at(h));
    },
    lstmBackward({ rows, hidden, cPrevious, gates, aside, dh, dc, dzx }: GateBackward) {
      wasm.lstmBackward(rows, hidden, at(cPrevious), at(gates), at(aside), at(dh), at(dc), at(dzx));
    },
    gruForward({ rows, hidden, zx, zu, hPrevious, gates, aside, h }: GateForward, recurrentBias) {
      const states = at(hPrevious);
      wasm.gruForward(rows, hidden, at(zx), at(zu), states, at(gates), at(aside), at(h), at(recurrentBias));
    },
    gruBackward({ rows, hidden, hPrevious, gates, aside, dh, dzx, dzu }: GateBackward) {
      const states = at(hPrevious);
      wasm.gruBackward(rows, hidden, states, at(gates), at(aside), at(dh), at(dzx), at(dzu));
    },

    adam(parameters, gradient, m, v, settings: AdamSettings) {
      const { rate, keep, correction1, correction2, b1, a1, b2, a2, epsilon } = adamConstants(
        settings,
        round,
      );
      wasm.adam(
        ...[at(parameters), at(gradient), at(m), at(v), parameters.length],
        ...[rate, keep, correction1, correction2, b1, a1, b2, a2, epsilon],
      );
    },
  };
  const generic = createSteps(parts);

  return {
    ...parts,
    forwardSteps(layer) {
      if (layer.cell !== 'lstm') return generic.forwardSteps(layer);
      const { rows, hidden, zx, zu, hPrevious, cPrevious, gates, aside } = layer.steps[0];
      wasm.lstmForwardSteps(
        ...[layer.steps.length, rows, hidden, at(layer.recurrent.values)],
        ...[at(zx), at(zu), at(hPrevious), at(cPrevious), at(gates), at(aside)],
      );
    },
    backwardSteps(layer, observe) {
      // who wants to look between the steps gets them one by one
      if (layer.cell !== 'lstm' || observe !== undefined) return generic.backwardSteps(layer, observe);
      const last = layer.steps.length - 1;
      const { rows, hidden, cPrevious, gates, aside, dh, dc, dzx } = layer.steps[last];
      wasm.lstmBackwardSteps(
        ...[layer.steps.length, rows, hidden, at(layer.recurrent.values), at(layer.dOutput[last])],
        ...[at(cPrevious), at(gates), at(aside), at(dh), at(dc), at(dzx)],
      );
    },
  };
}

/** The last panel of columns is as wide as the others. */
function padded(columns: number): number {
  return 8 * Math.ceil(columns / 8);
}
