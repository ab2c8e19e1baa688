import type { TrainingKernel } from '../kernels/training.ts';
import { createLoss, type LossKind } from './losses.ts';
import { createMinibatch, type MinibatchOptions } from './minibatch.ts';
import { createNetwork } from './network.ts';
import { createParameters, type Topology } from './parameters.ts';
import type { Run } from './runs.ts';
import { createStatePass, type StreamPlan } from './state-pass.ts';
import type { Tasks } from './team.ts';

/** All that a training's arrays follow from: plain values, which a worker can be given. */
export interface TrainingPlan extends StreamPlan, MinibatchOptions {
  readonly lossKind: LossKind;
  readonly threads: number;
}

/** What the threads of a training share. */
export interface SharedTraining {
  readonly topology: Topology;
  readonly runs: readonly Run[];
  readonly plan: TrainingPlan;
  readonly memory: WebAssembly.Memory;
}

/** Allocates a training. Every thread calls it first of all with a kernel of its own over the same memory: the same
 * requests in the same order are the same arrays. */
export function layOutTraining(
  kernel: TrainingKernel,
  topology: Topology,
  runs: readonly Run[],
  plan: TrainingPlan,
) {
  const loss = createLoss(plan.lossKind, kernel.precision);
  const network = createNetwork(kernel, topology);
  const parameters = createParameters(kernel, topology);
  const states = createStatePass(kernel, network, topology, runs, plan);
  const minibatch = createMinibatch(kernel, network, topology, runs, states, loss, plan);
  const tasks: Tasks = {
    shard: (task, thread) => minibatch.computeShard(parameters, task, thread),
    group: (task, thread) => states.passGroup(parameters, task, thread),
  };
  return { parameters, states, minibatch, tasks };
}

/** Runs whose numbers every thread reads from one memory. */
export function shareRuns(runs: readonly Run[]): Run[] {
  return runs.map((run) => ({
    ...run,
    inputs: share(Float32Array, run.inputs),
    targets: share(Float32Array, run.targets),
    read: share(Uint8Array, run.read),
    ...(run.base && { base: share(Float32Array, run.base) }),
    widths: share(Float32Array, run.widths),
  }));
}

function share<Values extends Float32Array | Uint8Array>(
  Kind: { new (buffer: SharedArrayBuffer): Values },
  values: Values,
): Values {
  const shared = new Kind(new SharedArrayBuffer(values.byteLength));
  shared.set(values);
  return shared;
}
