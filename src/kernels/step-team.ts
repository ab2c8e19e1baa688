import { Worker } from 'node:worker_threads';
import type { CreateKernel } from './kernel.ts';
import { fasterPacking } from './packing.ts';
import { sharedInferenceModule } from './shared-inference-module.ts';
import {
  compileModule,
  instantiate,
  isForSimd,
  type LaidOutKernel,
  layOutKernel,
  type Step,
} from './wasm.ts';

/** Numbers that the threads share: frames of the batch that nobody has taken yet, its first one, frames done, and whether the
 * team is closed. */
const word = { open: 0, from: 1, done: 2, closed: 3 } as const;
const WORDS = 4;
/** Frames that a thread takes at a time: so few that none waits long for the last ones. */
const CHUNK = 16;
/** Frames below which waking a thread costs more than it saves: 10 to 40 us. */
const LEAST_FRAMES = 1000;
const MOST_PAGES = 65536;
/** Looks at a number before the caller goes to sleep: the last chunk takes no longer. */
const SPINS = 20_000;
/** Looks for the next batch before a worker goes to sleep, about 100 us: waking takes as long, a tenth of a batch. */
const IDLE_SPINS = 5000;
/** No chunk takes this long: a thread that died must not stop the service for ever. */
const LONGEST_CHUNK_MS = 10_000;

/** What a worker is given. */
export interface StepWorkerData {
  readonly control: Int32Array;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly plan: number;
  readonly scratch: LaidOutKernel['scratches'][number];
}

/** A kernel whose large batches several threads step, and how it ends. */
export interface StepTeam {
  readonly createKernel: CreateKernel;
  close(): void;
}

/** Nothing to start threads with where this file was not built. */
const builtWorker = import.meta.url.endsWith('.js')
  ? new URL('./step-worker.js', import.meta.url)
  : undefined;

/** Starts threads - 1 workers for each kernel that is made. They sleep between batches and keep no process alive. Every frame
 * is stepped as one thread alone would, so that nothing depends on who takes which.
 * @param worker step-worker.ts as JavaScript, where all this runs from its TypeScript
 * @throws where the engine has no SIMD or no memory that threads can share */
export function createStepTeam(threads: number, worker = builtWorker): StepTeam {
  const module = compileModule(sharedInferenceModule);
  if (module === null || worker === undefined) throw new Error('no threads for the step on this machine');
  const controls: Int32Array[] = [];
  return {
    createKernel(model, options) {
      if (!isForSimd(model)) throw new Error('no SIMD step for this model');
      const memory = new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared: true });
      const control = new Int32Array(new SharedArrayBuffer(4 * WORDS));
      controls.push(control);
      const { kernel, plan, scratches } = layOutKernel(instantiate(module, memory), model, options, {
        ...{ packing: fasterPacking(), threads },
        share: (step) => (from, to) => stepTogether(control, step, from, to),
      });
      for (const scratch of scratches) {
        const workerData: StepWorkerData = { control, module, memory, plan, scratch };
        // one that cannot start is missed by nobody: the others take its frames
        new Worker(worker, { workerData, execArgv: [] }).on('error', () => {}).unref();
      }
      return kernel;
    },
    close() {
      for (const control of controls) {
        Atomics.store(control, word.closed, 1);
        Atomics.store(control, word.open, -1);
        Atomics.notify(control, word.open);
      }
    },
  };
}

function stepTogether(control: Int32Array, step: Step, from: number, to: number): void {
  const frames = to - from;
  if (frames < LEAST_FRAMES) {
    step(from, to);
    return;
  }
  Atomics.store(control, word.from, from);
  Atomics.store(control, word.done, 0);
  Atomics.store(control, word.open, frames);
  Atomics.notify(control, word.open);
  takeChunks(control, step);
  awaitDone(control, frames);
}

/** A worker's life: batch after batch until the team closes. */
export function serveSteps(control: Int32Array, step: Step): void {
  while (Atomics.load(control, word.closed) === 0) {
    takeChunks(control, step);
    for (let i = 0; i < IDLE_SPINS && Atomics.load(control, word.open) === 0; i++);
    Atomics.wait(control, word.open, 0);
  }
}

/** Takes the last open frames, a chunk at a time, until none is left. */
function takeChunks(control: Int32Array, step: Step): void {
  for (;;) {
    const open = Atomics.load(control, word.open);
    if (open <= 0) return;
    const left = Math.max(0, open - CHUNK);
    if (Atomics.compareExchange(control, word.open, open, left) !== open) continue;
    // the batch cannot end, nor another begin, before this chunk is done
    const from = Atomics.load(control, word.from);
    step(from + left, from + open);
    Atomics.add(control, word.done, open - left);
    Atomics.notify(control, word.done);
  }
}

function awaitDone(control: Int32Array, frames: number): void {
  for (let i = 0; i < SPINS && Atomics.load(control, word.done) < frames; i++);
  for (;;) {
    const done = Atomics.load(control, word.done);
    if (done === frames) return;
    if (Atomics.wait(control, word.done, done, LONGEST_CHUNK_MS) === 'timed-out')
      throw new Error(`a thread of the step has not answered for ${LONGEST_CHUNK_MS / 1000} s`);
  }
}
