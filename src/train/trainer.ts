import { DataError } from '../data/data-error.ts';
import type { Floats } from '../kernels/training.ts';
import type { Checkpoint } from './checkpoint.ts';
import { type ChunkOptions, drawChunks, fewestChunks, longestChunk } from './chunks.ts';
import type { LossKind } from './losses.ts';
import { type Machine, type MachineOptions, openMachine } from './machine.ts';
import {
  createOptimizerState,
  normOf,
  type OptimizerSettings,
  type OptimizerState,
  updateParameters,
} from './optimizer.ts';
import { createParameters, initializeParameters, type Parameters, type Topology } from './parameters.ts';
import type { Run } from './runs.ts';
import type { StreamPlan } from './state-pass.ts';
import { TrainingError } from './training-error.ts';
import { initializeWidths } from './widths.ts';

export interface TrainerOptions extends OptimizerSettings, StreamPlan {
  readonly loss: LossKind;
  readonly epochs: number;
  /** The epoch after which training ends, on the way of the learning rate to `epochs`; all of them if left out. */
  readonly lastEpoch?: number;
  readonly batch: number;
  readonly chunk: number;
  readonly resets: number;
  readonly dropout: number;
  /** Epochs without a better validation error after which training stops. */
  readonly patience: number;
  readonly seed: number;
}

export interface EpochReport {
  readonly epoch: number;
  readonly epochs: number;
  /** Mean loss of the points of the epoch's minibatches. */
  readonly loss: number;
  /** Mean squared error on validation, in z units. */
  readonly validation: number;
  /** Time steps of all streams, forward and backward, since the start of this process. */
  readonly timesteps: number;
}

export interface UpdateReport extends EpochReport {
  /** How much of the training is done, 0 to 1. */
  readonly share: number;
}

/** Hears of every minibatch (for a progress bar) and of every finished epoch (to keep a checkpoint). */
export interface TrainerEvents {
  readonly onUpdate?: (report: UpdateReport) => void;
  readonly onEpoch?: (report: EpochReport, checkpoint: Checkpoint) => void;
}

export interface TrainedNetwork {
  /** The parameters with the best validation error. */
  readonly parameters: Parameters;
  readonly bestEpoch: number;
  readonly validation: number;
  readonly history: readonly EpochReport[];
}

/** Training that goes on from given parameters while the network runs on others that follow from them: rounded ones, say.
 * Gradients are taken there and move the latent ones (the straight-through estimator, Bengio 2013). */
export interface Tuning {
  readonly from: Floats;
  /** Writes the effective parameters of the latent ones. */
  readonly project: (latent: Parameters, effective: Parameters) => void;
}

/** Updates of an epoch: with little data the minibatches get smaller, or 50 epochs would be 50 updates. */
const LEAST_UPDATES = 8;

/** Which chunks an update takes. */
interface ChunkPlan {
  readonly drawing: ChunkOptions;
  readonly batch: number;
}

/** @throws DataError when the training part is too short for what the options ask */
function planChunks({ phases, trainEnds, segment, chunk, batch, seed }: TrainerOptions): ChunkPlan {
  const steps = longestChunk(trainEnds, phases, segment > 0 ? segment : chunk);
  const drawing = { steps, phases, seed, ends: trainEnds };
  const fewest = steps > 0 ? fewestChunks(drawing) : 0;
  if (fewest === 0) {
    throw new DataError(
      `the training part has no chunk of ${phases} phases; give it more rows or fewer phases`,
    );
  }
  // a shorter one would be trained otherwise than it is served
  if (steps < segment) {
    throw new DataError(
      `the training part has at most ${steps} frames in a row, a segment has ${segment}; ` +
        'give it more rows or a shorter model.segment',
    );
  }
  const mostRows = Math.max(1, Math.floor(fewest / LEAST_UPDATES));
  return { drawing, batch: Math.min(batch, mostRows) };
}

/** What training changes; a checkpoint is a copy of it between two epochs. */
interface Progress {
  /** What updates move; the network runs on the machine's, which are the same without tuning. */
  readonly latent: Parameters;
  readonly best: Parameters;
  readonly optimizer: OptimizerState;
  readonly history: EpochReport[];
  bestEpoch: number;
}

function beginOrResume(
  { kernel, parameters }: Machine,
  topology: Topology,
  { resumed, tuning }: Start,
): Progress {
  const latent = tuning ? createParameters(kernel, topology) : parameters;
  const best = createParameters(kernel, topology);
  const optimizer = createOptimizerState(kernel, parameters.flat.length);
  if (resumed === undefined) {
    latent.flat.set(tuning ? tuning.from : parameters.flat);
    best.flat.set(latent.flat);
    return { latent, best, optimizer, history: [], bestEpoch: 0 };
  }
  latent.flat.set(resumed.parameters);
  best.flat.set(resumed.best);
  optimizer.m.set(resumed.m);
  optimizer.v.set(resumed.v);
  Object.assign(optimizer, { update: resumed.update, power1: resumed.power1, power2: resumed.power2 });
  return { latent, best, optimizer, history: [...resumed.history], bestEpoch: resumed.bestEpoch };
}

/** What a training begins from, if not from random parameters. */
interface Start {
  readonly resumed?: Checkpoint | undefined;
  readonly tuning?: Tuning;
}

/** Backpropagation through time over random chunks, from the states that a streaming pass left there. Epoch 0 is the
 * untrained network; after each epoch the pass refreshes the states and scores validation. */
export function trainNetwork(
  topology: Topology,
  runs: readonly Run[],
  options: TrainerOptions,
  events: TrainerEvents = {},
  resumed?: Checkpoint,
  machineOptions?: MachineOptions,
): TrainedNetwork {
  return trainFrom({ resumed }, topology, runs, options, events, machineOptions);
}

/** The same from parameters that are there already. Epoch 0 is the network that they make. */
export function tuneNetwork(
  topology: Topology,
  runs: readonly Run[],
  options: TrainerOptions,
  tuning: Tuning,
  machineOptions?: MachineOptions,
): TrainedNetwork {
  return trainFrom({ tuning }, topology, runs, options, {}, machineOptions);
}

function trainFrom(
  start: Start,
  topology: Topology,
  runs: readonly Run[],
  options: TrainerOptions,
  events: TrainerEvents,
  machineOptions: MachineOptions | undefined,
): TrainedNetwork {
  const { drawing, batch } = planChunks(options);
  const plan = {
    ...options,
    ...{ lossKind: options.loss, batch, chunk: drawing.steps, answersLast: options.segment > 0 },
  };
  const rows = options.epochs * options.trainEnds.reduce((sum, end) => sum + end, 0);
  const machine = openMachine(topology, runs, plan, rows, machineOptions);
  initializeParameters(machine.parameters, topology, options.seed);
  // beside a highway the untrained network says nothing: validation can always fall back on the highway alone
  if (runs.some(({ base }) => base !== undefined)) machine.parameters.headWeights.fill(0);
  initializeWidths(machine.parameters, topology, runs, options);
  try {
    return trainOn(machine, topology, { drawing, batch }, options, events, start);
  } finally {
    machine.close();
  }
}

function trainOn(
  machine: Machine,
  topology: Topology,
  { drawing, batch }: ChunkPlan,
  options: TrainerOptions,
  { onUpdate, onEpoch }: TrainerEvents,
  begin: Start,
): TrainedNetwork {
  const { kernel, parameters } = machine;
  const { epochs, lastEpoch = epochs } = options;
  const progress = beginOrResume(machine, topology, begin);
  const { latent, best, optimizer, history } = progress;
  const project = () => begin.tuning?.project(latent, parameters);
  let timesteps = 0;

  function trainEpoch(epoch: number): number {
    const chunks = drawChunks(epoch, drawing);
    const updates = Math.floor(chunks.length / batch);
    const { validation } = history[epoch - 1];
    let sum = 0;
    for (let u = 0; u < updates; u++) {
      const rows = chunks.slice(u * batch, (u + 1) * batch);
      const computed = machine.compute(rows, optimizer.update);
      if (!Number.isFinite(computed.loss))
        throw diverged(epoch, optimizer.update, `loss ${computed.loss}`, options);
      const shareAt = (done: number) => (epoch - 1 + done / updates) / epochs;
      updateParameters(kernel, latent.flat, computed.gradients.flat, optimizer, options, shareAt(u));
      project();
      sum += computed.loss;
      timesteps += batch * drawing.steps;
      onUpdate?.({ epoch, epochs, loss: sum / (u + 1), validation, timesteps, share: shareAt(u + 1) });
    }
    return sum / updates;
  }

  // after a resume the cached states come back too: they are a function of the parameters
  project();
  const start = machine.pass();
  if (begin.resumed === undefined) {
    history.push({ epoch: 0, epochs, loss: Number.NaN, validation: start, timesteps });
  }
  const canScore = !Number.isNaN(history[0].validation);
  for (let epoch = history.length; epoch <= lastEpoch; epoch++) {
    if (epoch - 1 - progress.bestEpoch >= options.patience) break;
    const epochLoss = trainEpoch(epoch);
    const validation = machine.pass();
    // the last update may break what its loss did not show yet
    if (!Number.isFinite(canScore ? validation : normOf(latent.flat))) {
      const found = canScore ? `validation ${validation}` : 'parameters beyond float32';
      throw diverged(epoch, optimizer.update, found, options);
    }
    history.push({ epoch, epochs, loss: epochLoss, validation, timesteps });
    // without any validation truth the newest is the best
    if (!(validation >= history[progress.bestEpoch].validation)) {
      progress.bestEpoch = epoch;
      best.flat.set(latent.flat);
    }
    const { bestEpoch } = progress;
    onEpoch?.(history[epoch], {
      ...optimizer,
      parameters: latent.flat,
      best: best.flat,
      bestEpoch,
      history,
    });
  }
  const { bestEpoch } = progress;
  // a copy, so that the kernel's memory can go
  const trained = createParameters(kernel, topology, best.flat.slice());
  return { parameters: trained, bestEpoch, validation: history[bestEpoch].validation, history };
}

function diverged(epoch: number, update: number, found: string, options: TrainerOptions): TrainingError {
  const { learningRate, clip } = options;
  return new TrainingError(
    `training diverged in epoch ${epoch}, update ${update}: ${found}; ` +
      `lower training.learningRate (now ${learningRate}) or training.clip (now ${clip})`,
  );
}
