import { fitRidge, type RidgeVariant } from '../baselines/ridge.ts';
import { canonicalRecipe } from '../config/recipe.ts';
import type { Dataset, Part } from '../data/dataset.ts';
import { type Engine, loadModel } from '../engine/engine.ts';
import { type BaselineScores, scoreBaselines } from '../evaluate/baselines.ts';
import type { Score } from '../evaluate/score.ts';
import { writeModelFile } from '../model/format.ts';
import { checkArchitecture, checkInput, checkOutput } from '../model/limits.ts';
import type { Model } from '../model/model.ts';
import { type ExportReport, exportModels } from '../quantize/export.ts';
import type { Checkpoint } from '../train/checkpoint.ts';
import { fitStreams } from '../train/fit-inputs.ts';
import type { MachineOptions } from '../train/machine.ts';
import { type ModelDescription, toModel } from '../train/to-model.ts';
import {
  type TrainedNetwork,
  type TrainerEvents,
  type TrainerOptions,
  trainNetwork,
} from '../train/trainer.ts';
import { fineTune } from './fine-tune.ts';
import type { Prepared } from './prepare.ts';
import { sheetOfQuantization } from './quantization-sheet.ts';
import { scoreEngine } from './score-engine.ts';
import { sheetOf } from './score-sheet.ts';

/** Everybody's errors on one part of the data, on the same pairs. */
interface PartScores {
  readonly int8: Score;
  readonly float: Score;
  readonly baselines: BaselineScores;
}

export interface TrainedModel {
  readonly trained: TrainedNetwork;
  readonly served: Model;
  readonly servedBytes: Uint8Array;
  readonly floatBytes: Uint8Array;
  readonly engines: { readonly served: Engine; readonly float: Engine };
  readonly validation: PartScores;
  readonly test: PartScores;
  readonly ridge: readonly RidgeVariant[];
  /** SHA-256 of the served model, hex. */
  readonly id: string;
  /** Absent for a cell without an integer form. */
  readonly exported: ExportReport | undefined;
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
    segment,
    trainEnds,
    validationEnds,
  };
}

interface TrainModelOptions {
  readonly events?: TrainerEvents;
  readonly resumed?: Checkpoint;
  readonly machine?: MachineOptions;
  readonly stage: (line: string) => void;
}

/** The whole way from prepared data to two model files: training, export, scores of every part beside the baselines. */
export async function trainModel(
  prepared: Prepared,
  { events, resumed, machine, stage }: TrainModelOptions,
): Promise<TrainedModel> {
  const { dataset, split, topology, runs, recipe } = prepared;
  const description = describe(prepared);
  checkDescription(description);
  const options = trainerOptions(prepared);
  const trained = trainNetwork(topology, runs, options, events, resumed, machine);
  stage('exporting: quantization, calibration and golden vectors');
  const draft = toModel(trained.parameters, topology, description);
  const exported = exportModels(draft, dataset, split, {
    wide: recipe.model.wide,
    fineTune: () => {
      stage('fine-tuning for 8 bits');
      const { parameters } = fineTune(prepared, options, trained.parameters, machine);
      return toModel(parameters, topology, description);
    },
  });
  const engines = {
    served: await loadModel(writeModelFile(exported.served)),
    float: await loadModel(writeModelFile(exported.float)),
  };
  stage('fitting the baselines and scoring validation and test');
  const ridge = fitRidge(prepared);
  const validation = scorePart(prepared, engines, ridge, 'validation');
  const test = scorePart(prepared, engines, ridge, 'test');
  const metrics = recordMetrics(validation, test, exported.report);
  const fit = isFit(validation, Math.max(...recipe.horizons));
  const complete = (model: Model): Model => ({ ...model, fit, training: { ...model.training, metrics } });
  const [served, float] = [complete(exported.served), complete(exported.float)];
  const servedBytes = writeModelFile(served);
  return {
    trained,
    served,
    servedBytes,
    id: (await loadModel(servedBytes)).id,
    floatBytes: writeModelFile(float),
    engines,
    validation,
    test,
    ridge,
    exported: exported.report,
  };
}

/** Sizes that no file could hold are found before the training, not after it. */
function checkDescription({ input, output, architecture }: ModelDescription): void {
  checkInput(input);
  checkOutput(output, input);
  checkArchitecture(architecture, input);
}

function describe(prepared: Prepared): ModelDescription {
  const { recipe, dataset, split, topology, spec, scalers, commonScalers, channels, targets, steps } =
    prepared;
  const { periodMs } = dataset;
  const tables = channels.length > 0 ? [commonScalers, ...scalers] : [commonScalers];
  return {
    name: recipe.name,
    version: recipe.version,
    release: recipe.release,
    createdMs: (split.trainEnd - 1) * periodMs,
    fit: true,
    architecture: {
      cell: topology.cell,
      layers: topology.layers,
      hidden: topology.hidden,
      phases: prepared.phases,
      segment: prepared.segment,
    },
    input: {
      ...spec,
      ...fitStreams(dataset, split, { scalers, channels }),
      periodMs,
      season: prepared.season,
      gapLimit: recipe.gapLimit,
      names: dataset.features,
      units: dataset.features.map(() => ''),
      channels,
      ...(isSampledFaster(dataset) && { combine: 'mean' }),
      scalers: Float32Array.from(
        tables.flatMap((table) => table.flatMap(({ mean, scale }) => [mean, scale])),
      ),
    },
    output: { targets, steps, horizons: recipe.horizons, quantiles: [] },
    training: {
      recipe: canonicalRecipe(recipe),
      seed: recipe.training.seed,
      dataSha256: dataset.sha256,
      trainEndMs: split.trainEnd * periodMs,
      validationEndMs: split.validationEnd * periodMs,
      testEndMs: split.end * periodMs,
      metrics: '',
    },
  };
}

/** Now and then two rows fall into one frame by jitter; a frame that waited for that would answer a period late. */
function isSampledFaster({ counts }: Dataset): boolean {
  return counts.merged > 0.05 * (counts.applied + counts.merged);
}

function scorePart(
  prepared: Prepared,
  { served, float }: TrainedModel['engines'],
  ridge: readonly RidgeVariant[],
  part: Part,
): PartScores {
  const { dataset, split, targets, steps, season, scalers, recipe } = prepared;
  const scored = { dataset, split, part };
  const { score: int8, origins } = scoreEngine(served, scored);
  const { horizons } = recipe;
  const baselines = scoreBaselines({ ...scored, targets, steps, season, scalers, ridge, horizons, origins });
  return { int8, float: scoreEngine(float, scored).score, baselines };
}

/** Whether the model is better than persistence and seasonal naive over the longest horizon of validation. */
function isFit({ int8, baselines }: PartScores, horizon: number): boolean {
  const own = int8.horizons[horizon]?.mse ?? Number.POSITIVE_INFINITY;
  const others = [baselines.persistence, baselines.seasonal].map(
    (score) => score.horizons?.[horizon]?.mse ?? Number.POSITIVE_INFINITY,
  );
  return others.every((other) => own < other);
}

function recordMetrics(validation: PartScores, test: PartScores, exported: ExportReport | undefined): string {
  const quantization = exported && sheetOfQuantization(exported);
  return JSON.stringify({ validation: sheetOf(validation), test: sheetOf(test), quantization });
}
