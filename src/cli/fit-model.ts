import { type RidgeVariant, refitRidge } from '../baselines/ridge.ts';
import { DataError } from '../data/data-error.ts';
import { float32 } from '../kernels/training.ts';
import { createScalarTrainingKernel } from '../kernels/training-scalar.ts';
import type { Highway, Model } from '../model/model.ts';
import { streamIncrements } from '../quantize/increments.ts';
import type { Checkpoint } from '../train/checkpoint.ts';
import { joinedTopology, joinNetworks, meanWithHighway } from '../train/ensemble.ts';
import type { MachineOptions } from '../train/machine.ts';
import { createParameters, type Topology } from '../train/parameters.ts';
import { ridgeHighway } from '../train/ridge-highway.ts';
import type { Run } from '../train/runs.ts';
import { linearModel, type ModelDescription, toModel } from '../train/to-model.ts';
import {
  type TrainedNetwork,
  type TrainerEvents,
  type TrainerOptions,
  trainNetwork,
} from '../train/trainer.ts';
import { fineTune } from './fine-tune.ts';
import type { Prepared } from './prepare.ts';

/** What was learnt, still without calibration, integers and golden vectors. */
export interface FittedModel {
  readonly draft: Model;
  /** One a seed; none for a ridge alone. */
  readonly networks: readonly TrainedNetwork[];
}

export interface FitOptions {
  readonly events?: TrainerEvents;
  readonly resumed?: Checkpoint | undefined;
  readonly machine?: MachineOptions | undefined;
  /** Networks of the first seeds that are there already. */
  readonly trained?: readonly TrainedNetwork[];
}

/** What a recipe asks to be fitted: the prepared data, what the model is, and the fitted ridges. */
export interface FitTask {
  readonly prepared: Prepared;
  readonly description: ModelDescription;
  readonly ridge: readonly RidgeVariant[];
}

export function trainerOptions(prepared: Prepared): TrainerOptions {
  const { recipe, phases, steps, targets, segment, trainEnds, validationEnds } = prepared;
  const { training } = recipe;
  return {
    ...training,
    patience: training.patience ?? training.epochs,
    phases,
    steps,
    targets: targets.length,
    quantiles: recipe.quantiles,
    segment,
    trainEnds,
    validationEnds,
  };
}

/** Fits on the training part; validation chooses the penalties of a ridge and the epoch of a network. */
export function fitModel(task: FitTask, { events, resumed, machine, trained = [] }: FitOptions): FittedModel {
  const { prepared, description } = task;
  const mapsOf = (variant: RidgeVariant) => variant.maps;
  const highway = highwayOf(task, mapsOf);
  const { topology, recipe } = prepared;
  if (topology === undefined) return { draft: linearModel(highway as Highway, description), networks: [] };
  const runs = runsBeside(task, mapsOf);
  const options = trainerOptions(prepared);
  const { seed, seeds } = recipe.training;
  const networks = Array.from(
    { length: seeds },
    (_, n) =>
      trained[n] ??
      trainNetwork(
        topology,
        runs,
        { ...options, seed: seed + n },
        memberEvents(events, n, seeds),
        resumed,
        machine,
      ),
  );
  return { draft: joinModel(task, topology, networks, highway), networks };
}

/** A checkpoint is of one network: with several there is none. */
function memberEvents(events: TrainerEvents = {}, n: number, count: number): TrainerEvents {
  const { onUpdate } = events;
  if (count === 1) return events;
  return onUpdate ? { onUpdate: (report) => onUpdate({ ...report, share: (n + report.share) / count }) } : {};
}

/** The same once more on training and validation together, as far as validation found best before. It keeps no checkpoint:
 * resumed as the first fit it would have seen validation. */
export function refitModel(
  task: FitTask,
  { networks }: FittedModel,
  { events = {}, machine }: Pick<FitOptions, 'events' | 'machine'>,
): Model {
  const { prepared, description } = task;
  const fitted = ridgeOf(task);
  const maps = fitted ? refitRidge(fitted, prepared) : [];
  const mapsOf = () => maps;
  const highway = highwayOf(task, mapsOf);
  const { topology, recipe, validationEnds } = prepared;
  if (topology === undefined) return linearModel(highway as Highway, description);
  const runs = runsBeside(task, mapsOf);
  const options = { ...trainerOptions(prepared), trainEnds: validationEnds };
  const { onUpdate } = events;
  const heard = onUpdate ? { onUpdate } : {};
  const again = networks.map(({ bestEpoch }, n) => {
    const settings = { ...options, seed: recipe.training.seed + n, lastEpoch: bestEpoch };
    return trainNetwork(
      topology,
      runs,
      settings,
      memberEvents(heard, n, networks.length),
      undefined,
      machine,
    );
  });
  return joinModel(task, topology, again, highway);
}

/** The networks trained on for 8 bits. */
export function fineTuneModel(task: FitTask, { networks }: FittedModel, machine?: MachineOptions): Model {
  const { prepared } = task;
  const mapsOf = (variant: RidgeVariant) => variant.maps;
  const highway = highwayOf(task, mapsOf);
  const topology = prepared.topology as Topology;
  const runs = runsBeside(task, mapsOf);
  const options = trainerOptions(prepared);
  const { seed } = prepared.recipe.training;
  const tuned = networks.map(({ parameters }, n) =>
    fineTune({ topology, runs }, { ...options, seed: seed + n }, parameters, machine),
  );
  return joinModel(task, topology, tuned, highway);
}

/** The frozen ridge that the recipe names. */
function ridgeOf({ prepared, ridge }: FitTask): RidgeVariant | undefined {
  const { highway: name } = prepared.recipe.model;
  if (name === undefined) return undefined;
  const variant = ridge.find((one) => one.name === name);
  if (variant === undefined) {
    throw new DataError(
      `no ridge ${name} for model.highway: the training part has too few windows for it, validation no answer to ` +
        'choose its penalty by, or there are more than 32 features or maps; take own96, or more rows',
    );
  }
  return variant;
}

/** The named ridge as a highway, with the maps that it has for these answers. */
function highwayOf(
  task: FitTask,
  mapsOf: (variant: RidgeVariant) => RidgeVariant['maps'],
  output = task.description.output,
): Highway | undefined {
  const variant = ridgeOf(task);
  return variant && ridgeHighway(variant, mapsOf(variant), output);
}

/** The runs with the highway's answers, by the kernel that serves them. */
function runsBeside(task: FitTask, mapsOf: (variant: RidgeVariant) => RidgeVariant['maps']): readonly Run[] {
  const { prepared, description } = task;
  const { runs, dataset, recipe } = prepared;
  const output = { ...description.output, quantiles: [] };
  const highway = recipe.model.join === 'mean' ? undefined : highwayOf(task, mapsOf, output);
  if (highway === undefined) return runs;
  const { swing: _, ...input } = description.input;
  const alone = linearModel(highway, {
    ...{ ...description, input, output },
    architecture: { ...description.architecture, cell: 'none', layers: 0, hidden: 0, phases: 1, segment: 0 },
  });
  return runs.map((run) => ({ ...run, base: streamIncrements(alone, dataset, run) }));
}

function joinModel(
  { prepared, description }: FitTask,
  topology: Topology,
  networks: readonly TrainedNetwork[],
  highway: Highway | undefined,
): Model {
  const isMean = prepared.recipe.model.join === 'mean';
  const finish = (model: Model) => (isMean ? meanWithHighway(model) : model);
  if (networks.length === 1) return finish(toModel(networks[0].parameters, topology, description, highway));
  const wide = joinedTopology(topology, networks.length);
  const joined = createParameters(createScalarTrainingKernel(float32), wide);
  joinNetworks(
    networks.map(({ parameters }) => parameters),
    topology,
    joined,
  );
  return finish(toModel(joined, wide, description, highway));
}
