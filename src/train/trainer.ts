import { float32, type TrainingKernel } from '../kernels/training.ts';
import { createScalarTrainingKernel } from '../kernels/training-scalar.ts';
import type { Checkpoint } from './checkpoint.ts';
import { drawChunks, fewestChunks, longestChunk } from './chunks.ts';
import { createLoss, type LossKind } from './losses.ts';
import { createMinibatch } from './minibatch.ts';
import { createNetwork } from './network.ts';
import { createOptimizerState, normOf, type OptimizerSettings, updateParameters } from './optimizer.ts';
import { createParameters, initializeParameters, type Parameters, type Topology } from './parameters.ts';
import type { Run } from './runs.ts';
import { createStatePass } from './state-pass.ts';
import { TrainingError } from './training-error.ts';

export interface TrainerOptions extends OptimizerSettings {
  readonly loss: LossKind;
  /** The level of the pinball loss. */
  readonly quantile: number;
  readonly epochs: number;
  readonly batch: number;
  readonly chunk: number;
  readonly resets: number;
  readonly dropout: number;
  /** Epochs without a better validation error after which training stops. */
  readonly patience: number;
  readonly seed: number;
  readonly phases: number;
  /** N */
  readonly steps: number;
  /** M */
  readonly targets: number;
  /** T for `output: last`, else 0. */
  readonly segment: number;
  /** [run]: rows before validation, before test. */
  readonly trainEnds: readonly number[];
  readonly validationEnds: readonly number[];
}

export interface EpochReport {
  readonly epoch: number;
  readonly epochs: number;
  /** Mean loss of the epoch's minibatches. */
  readonly loss: number;
  /** Mean squared error on validation, in z units. */
  readonly validation: number;
  /** Time steps of all streams, forward and backward, since the start of this process. */
  readonly timesteps: number;
}

/** Hears of every minibatch (for a progress bar) and of every finished epoch (to keep a checkpoint). */
export interface TrainerEvents {
  /** `share`: how much of the training is done, 0 to 1. */
  readonly onUpdate?: (report: EpochReport & { readonly share: number }) => void;
  readonly onEpoch?: (report: EpochReport, checkpoint: Checkpoint) => void;
}

export interface TrainedNetwork {
  /** The parameters with the best validation error. */
  readonly parameters: Parameters;
  readonly bestEpoch: number;
  readonly validation: number;
  readonly history: readonly EpochReport[];
}

/** Backpropagation through time over random chunks, from the states that a streaming pass left there. Epoch 0 is the
 * untrained network; after each epoch the pass refreshes the states and scores validation. */
export function trainNetwork(
  topology: Topology,
  runs: readonly Run[],
  options: TrainerOptions,
  { onUpdate, onEpoch }: TrainerEvents = {},
  resumed?: Checkpoint,
  kernel: TrainingKernel = createScalarTrainingKernel(float32),
): TrainedNetwork {
  const { phases, trainEnds, epochs, seed } = options;
  const network = createNetwork(kernel, topology);
  const states = createStatePass(kernel, network, topology, runs, options);
  const steps = longestChunk(trainEnds, phases, options.segment > 0 ? options.segment : options.chunk);
  const drawing = { steps, phases, seed, ends: trainEnds };
  const fewest = steps > 0 ? fewestChunks(drawing) : 0;
  if (fewest === 0) {
    throw new TrainingError(
      `the training part has no chunk of ${phases} phases; give it more rows or fewer phases`,
    );
  }
  // a shorter one would be trained otherwise than it is served
  if (steps < options.segment) {
    throw new TrainingError(
      `the training part has at most ${steps} frames in a row, a segment has ${options.segment}; ` +
        'give it more rows or a shorter model.segment',
    );
  }
  const batch = Math.min(options.batch, fewest);
  const minibatch = createMinibatch(
    kernel,
    network,
    topology,
    runs,
    states,
    createLoss(options.loss, kernel.precision, options.quantile),
    {
      ...options,
      batch,
      chunk: steps,
      answersLast: options.segment > 0,
      ends: trainEnds,
    },
  );

  const parameters = createParameters(kernel, topology);
  const best = createParameters(kernel, topology);
  const optimizer = createOptimizerState(kernel, parameters.flat.length);
  initializeParameters(parameters, topology, seed);
  let history: EpochReport[] = [];
  let bestEpoch = 0;
  let timesteps = 0;
  if (resumed === undefined) {
    best.flat.set(parameters.flat);
    history.push({ epoch: 0, epochs, loss: Number.NaN, validation: states.pass(parameters), timesteps });
  } else {
    parameters.flat.set(resumed.parameters);
    best.flat.set(resumed.best);
    optimizer.m.set(resumed.m);
    optimizer.v.set(resumed.v);
    Object.assign(optimizer, { update: resumed.update, power1: resumed.power1, power2: resumed.power2 });
    history = [...resumed.history];
    bestEpoch = resumed.bestEpoch;
    // the cached states are a function of the parameters: the pass brings back the very same
    states.pass(parameters);
  }

  function diverged(epoch: number, found: string): TrainingError {
    return new TrainingError(
      `training diverged in epoch ${epoch}, update ${optimizer.update}: ${found}; ` +
        `lower training.learningRate (now ${options.learningRate}) or training.clip (now ${options.clip})`,
    );
  }

  function trainEpoch(epoch: number): number {
    const chunks = drawChunks(epoch, drawing);
    const updates = Math.floor(chunks.length / batch);
    let sum = 0;
    for (let u = 0; u < updates; u++) {
      const { loss, gradients } = minibatch.compute(
        parameters,
        chunks.slice(u * batch, (u + 1) * batch),
        optimizer.update,
      );
      if (!Number.isFinite(loss)) throw diverged(epoch, `loss ${loss}`);
      const share = (epoch - 1 + u / updates) / epochs;
      updateParameters(kernel, parameters.flat, gradients.flat, optimizer, options, share);
      sum += loss;
      timesteps += batch * steps;
      const validation = history[history.length - 1].validation;
      onUpdate?.({ epoch, epochs, loss: sum / (u + 1), validation, timesteps, share });
    }
    return sum / updates;
  }

  for (let epoch = history.length; epoch <= epochs && epoch - 1 - bestEpoch < options.patience; epoch++) {
    const loss = trainEpoch(epoch);
    const validation = states.pass(parameters);
    // the last update may break what its loss did not show yet
    const canScore = !Number.isNaN(history[0].validation);
    if (!Number.isFinite(canScore ? validation : normOf(parameters.flat))) {
      throw diverged(epoch, canScore ? `validation ${validation}` : 'parameters beyond float32');
    }
    history.push({ epoch, epochs, loss, validation, timesteps });
    // NaN (no validation truth at all) keeps the newest
    if (!(validation >= history[bestEpoch].validation)) {
      bestEpoch = epoch;
      best.flat.set(parameters.flat);
    }
    const { m, v, update, power1, power2 } = optimizer;
    onEpoch?.(history[epoch], {
      parameters: parameters.flat,
      best: best.flat,
      m,
      v,
      update,
      power1,
      power2,
      bestEpoch,
      history,
    });
  }
  return { parameters: best, bestEpoch, validation: history[bestEpoch].validation, history };
}
