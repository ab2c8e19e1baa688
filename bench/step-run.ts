import { availableParallelism } from 'node:os';
import type { CreateKernel } from '../src/kernels/kernel.ts';
import { createPackedKernel, createScalarKernel } from '../src/kernels/scalar.ts';
import { createStepTeam, type StepTeam } from '../src/kernels/step-team.ts';
import { createWasmKernel, hasSimd } from '../src/kernels/wasm.ts';
import type { Model } from '../src/model/model.ts';
import { bundleWorker } from '../test/train/team-worker.ts';
import { createInputs } from './step-models.ts';

/** Every implementation of the time step on one thread; the readable one first. */
export const kernels: Readonly<Record<string, CreateKernel>> = {
  scalar: createScalarKernel,
  'two rows': createPackedKernel,
  ...(hasSimd() && { 'SIMD pairs': createWasmKernel('pairs'), 'SIMD quads': createWasmKernel('quads') }),
};

/** The one that takes all cores for large batches; undefined where there is one core, or no SIMD. */
export async function openTeam(): Promise<(StepTeam & { readonly threads: number }) | undefined> {
  const threads = availableParallelism();
  if (threads === 1 || !hasSimd()) return undefined;
  const worker = await bundleWorker(new URL('../src/kernels/step-worker.ts', import.meta.url));
  return { threads, ...createStepTeam(threads, worker) };
}

/** Streams in one call: more of them are stepped in several. From as many on a team shares a call. */
export const LARGEST_BATCH = 1000;
/** Frames of inputs, taken one after the other. */
const INPUT_FRAMES = 4096;
/** Stream-steps whose outputs are added up before anything is timed. */
const CHECKED_STEPS = 300;

/** Some streams of a model in one kernel, stepped in turns. */
export interface StepRun {
  /** Stream-steps a call. */
  readonly batch: number;
  /** Steps the next `batch` streams, their inputs copied in as a pipeline would. */
  call(): void;
  /** The sum of all outputs of the first steps: the same for every implementation. */
  readonly checksum: number;
  /** What the calls answered: whoever times them reads it, so that no engine may leave them out. */
  sink(): number;
}

export function openStepRun(create: CreateKernel, model: Model, streams: number): StepRun {
  const batch = Math.min(streams, LARGEST_BATCH);
  const kernel = create(model, { extra: 0, batchLimit: batch });
  kernel.reserve(streams);
  // the views are of the reserved memory
  const {
    batch: { slots, phases },
    inputs: frames,
    outputs,
  } = kernel;
  const inputs = createInputs(INPUT_FRAMES, kernel.inputSize);
  const floats = batch * kernel.inputSize;
  let slot = 0;
  let phase = 0;
  let inputAt = 0;
  let sum = 0;
  const call = () => {
    for (let i = 0; i < batch; i++) {
      slots[i] = slot + i;
      phases[i] = phase;
    }
    slot += batch;
    if (slot + batch > streams) {
      slot = 0;
      phase = (phase + 1) % model.architecture.phases;
    }
    for (let i = 0; i < floats; i++) frames[i] = inputs[inputAt + i];
    inputAt = inputAt + 2 * floats <= inputs.length ? inputAt + floats : 0;
    kernel.step(0, batch);
    sum += outputs[0] + outputs[outputs.length - 1];
  };
  let checksum = 0;
  for (let i = 0; i < Math.max(2, CHECKED_STEPS / batch); i++) {
    call();
    for (const output of outputs) checksum += Math.abs(output);
  }
  return { batch, call, checksum, sink: () => sum };
}

/** Times a turn, each of calls that fill a millisecond: what interrupts the process, longer by far, then falls into few
 * of them. */
const TIMES = 8;
const TIME_MS = 1;
/** Calls that are timed one by one a turn, at most: they take longer than the rest. */
const SINGLE_CALLS = 200;

/** A turn of calls.
 * @returns microseconds a call of each time, and of each call alone, the timer's share in it */
export function timeCalls(call: () => void): { readonly times: number[]; readonly calls: number[] } {
  const times: number[] = [];
  for (let time = 0; time < TIMES; time++) {
    const start = performance.now();
    let count = 0;
    // the clock is read seldom: it would take a tenth of the shortest steps
    for (let block = 1; performance.now() - start < TIME_MS; block = Math.min(64, 2 * block)) {
      for (let i = 0; i < block; i++) call();
      count += block;
    }
    const ms = performance.now() - start;
    times.push((1000 * ms) / count);
    // a long call is a turn of its own
    if (ms > TIMES * TIME_MS) break;
  }
  const calls: number[] = [];
  const end = performance.now() + TIMES * TIME_MS;
  for (let i = 0; i < SINGLE_CALLS; i++) {
    const before = performance.now();
    if (before > end && i > 0) break;
    call();
    calls.push(1000 * (performance.now() - before));
  }
  return { times, calls };
}
