import { float32, type TrainingKernel } from '../kernels/training.ts';
import { createScalarTrainingKernel } from '../kernels/training-scalar.ts';
import { createSharedMemory, createSimdTrainingKernel, hasSimd } from '../kernels/training-simd.ts';
import type { Chunk } from './chunks.ts';
import { layOutTraining, type SharedTraining, shareRuns, type TrainingPlan } from './layout.ts';
import { SHARDS } from './minibatch.ts';
import { countParameters, type Parameters, type Topology } from './parameters.ts';
import type { Run } from './runs.ts';
import { coreCount, createTeam, runAlone } from './team.ts';

/** On what a training runs; nothing here changes a bit of what it gives. */
export interface MachineOptions {
  /** The scalar one works everywhere; SIMD, where there is any, if left out. */
  readonly kernel?: 'scalar' | 'simd';
  /** As many as there are cores where the training is large enough, if left out. The scalar kernel has one. */
  readonly threads?: number;
  /** team-worker.ts as JavaScript, where all this runs from its TypeScript. */
  readonly worker?: URL;
}

/** Nothing to start threads with where this file was not built. */
const builtWorker = import.meta.url.endsWith('.js')
  ? new URL('./team-worker.js', import.meta.url)
  : undefined;

/** A training laid out and ready, on one thread or on many. */
export interface Machine {
  readonly kernel: TrainingKernel;
  readonly parameters: Parameters;
  /** The mean loss of a minibatch and its gradient, which the next call writes over. */
  compute(chunks: readonly Chunk[], update: number): { loss: number; gradients: Parameters };
  /** Refreshes the states that chunks go on from. @returns the error on validation */
  pass(): number;
  close(): void;
}

/** Multiply-adds of an update, and of a training, below which threads cost more than they save: starting one takes
 * 50 ms, handing out an update 20 us. */
const LEAST_UPDATE = 2e6;
const LEAST_TRAINING = 2e9;

/** @param rows how many rows the training steps through, over all epochs */
export function openMachine(
  topology: Topology,
  runs: readonly Run[],
  plan: Omit<TrainingPlan, 'threads'>,
  rows: number,
  {
    kernel: kind = hasSimd() ? 'simd' : 'scalar',
    threads: wanted,
    worker = builtWorker,
  }: MachineOptions = {},
): Machine {
  if (kind === 'scalar') {
    const kernel = createScalarTrainingKernel(float32);
    return createMachine(kernel, layOutTraining(kernel, topology, runs, { ...plan, threads: 1 }));
  }
  const most = worker === undefined ? 1 : SHARDS;
  const threads = Math.min(wanted ?? threadsThatPay(topology, plan, rows), most);
  const memory = createSharedMemory();
  const kernel = createSimdTrainingKernel(memory);
  const shared: SharedTraining = {
    ...{ topology, memory, plan: { ...plan, threads } },
    runs: threads > 1 ? shareRuns(runs) : runs,
  };
  return createMachine(kernel, layOutTraining(kernel, topology, shared.runs, shared.plan), shared, worker);
}

function threadsThatPay(
  topology: Topology,
  { batch, chunk }: Omit<TrainingPlan, 'threads'>,
  rows: number,
): number {
  // each weight works forward, backward and in its gradient
  const work = 3 * countParameters(topology);
  return work * batch * chunk >= LEAST_UPDATE && work * rows >= LEAST_TRAINING ? coreCount() : 1;
}

function createMachine(
  kernel: TrainingKernel,
  { parameters, minibatch, states, tasks }: ReturnType<typeof layOutTraining>,
  shared?: SharedTraining,
  worker?: URL,
): Machine {
  const threads = shared?.plan.threads ?? 1;
  const team = threads > 1 && worker && shared ? createTeam(threads, worker, tasks, shared) : undefined;
  const run = team?.run ?? runAlone(tasks);
  return {
    kernel,
    parameters,
    compute: (chunks, update) =>
      minibatch.compute(parameters, chunks, update, (count) => run('shard', count)),
    pass: () => states.pass(parameters, (count) => run('group', count)),
    close: () => team?.close(),
  };
}
