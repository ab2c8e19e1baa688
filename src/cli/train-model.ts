import { fitRidge, type RidgeVariant } from '../baselines/ridge.ts';
import { canonicalRecipe } from '../config/recipe.ts';
import type { Dataset, Part } from '../data/dataset.ts';
import { type Engine, loadModel } from '../engine/engine.ts';
import { type BaselineScores, scoreBaselines } from '../evaluate/baselines.ts';
import type { Score } from '../evaluate/score.ts';
import { writeModelFile } from '../model/format.ts';
import { checkArchitecture, checkInput, checkOutput } from '../model/limits.ts';
import type { Model } from '../model/model.ts';
import { measureWidths, scaleWidths } from '../quantize/calibrate-widths.ts';
import { type ExportedModels, type ExportReport, exportModels } from '../quantize/export.ts';
import type { Checkpoint } from '../train/checkpoint.ts';
import { fitStreams } from '../train/fit-inputs.ts';
import type { MachineOptions } from '../train/machine.ts';
import type { ModelDescription } from '../train/to-model.ts';
import type { TrainedNetwork, TrainerEvents } from '../train/trainer.ts';
import { type FitTask, type FittedModel, fineTuneModel, fitModel, refitModel } from './fit-model.ts';
import type { Prepared } from './prepare.ts';
import { sheetOfQuantization } from './quantization-sheet.ts';
import { levelsOf, scoreEngine } from './score-engine.ts';
import { sheetOf } from './score-sheet.ts';

/** Everybody's errors on one part of the data, on the same pairs. */
interface PartScores {
  readonly int8: Score;
  readonly float: Score;
  readonly baselines: BaselineScores;
}

export interface TrainedModel {
  /** One a seed; none for a ridge alone. */
  readonly networks: readonly TrainedNetwork[];
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

export interface TrainModelOptions {
  readonly events?: TrainerEvents;
  readonly resumed?: Checkpoint;
  readonly machine?: MachineOptions;
  readonly stage: (line: string) => void;
}

/** The whole way from prepared data to two model files. */
export async function trainModel(prepared: Prepared, options: TrainModelOptions): Promise<TrainedModel> {
  const task = fitTaskOf(prepared, fitRidge(prepared));
  return completeModel(task, fitModel(task, options), options);
}

/** Sizes that no file could hold are found here, before the training. */
export function fitTaskOf(prepared: Prepared, ridge: readonly RidgeVariant[]): FitTask {
  const description = describe(prepared);
  checkDescription(description);
  return { prepared, description, ridge };
}

/** From a fitted model on: export, scores of every part beside the baselines and, where the recipe says so, the same
 * model fitted once more on all but the test part. */
export async function completeModel(
  task: FitTask,
  fitted: FittedModel,
  { events, machine, stage }: Pick<TrainModelOptions, 'events' | 'machine' | 'stage'>,
): Promise<TrainedModel> {
  const { prepared, ridge } = task;
  const { recipe } = prepared;
  stage('exporting: quantization, calibration and golden vectors');
  const { dataset, split } = prepared;
  const widths = measureWidths(fitted.draft, dataset, split);
  const fineTune = () => {
    stage('fine-tuning for 8 bits');
    return scaleWidths(fineTuneModel(task, fitted, machine), widths);
  };
  const first = await exportFitted(task, scaleWidths(fitted.draft, widths), { fineTune });
  stage('scoring validation');
  const validation = scorePart(prepared, first.engines, ridge, 'validation');
  let final = first;
  if (recipe.training.refit) {
    stage('fitting once more, on training and validation together');
    const draft = refitModel(task, fitted, { ...(events && { events }), ...(machine && { machine }) });
    stage('exporting the model of both parts');
    final = await exportFitted(task, scaleWidths(draft, widths), { calibrated: first });
  }
  stage('scoring test');
  const test = scorePart(prepared, final.engines, ridge, 'test');
  const metrics = recordMetrics(validation, test, final.report);
  const fit = isFit(validation, Math.max(...recipe.horizons));
  const complete = (model: Model): Model => ({ ...model, fit, training: { ...model.training, metrics } });
  const served = complete(final.served);
  const servedBytes = writeModelFile(served);
  return {
    networks: fitted.networks,
    served,
    servedBytes,
    id: (await loadModel(servedBytes)).id,
    floatBytes: writeModelFile(complete(final.float)),
    engines: final.engines,
    validation,
    test,
    ridge,
    exported: final.report,
  };
}

interface Exported extends ExportedModels {
  readonly engines: { readonly served: Engine; readonly float: Engine };
}

interface ExportSettings {
  /** The model whose residuals are kept, as its widths are: those on data that a model was fitted on are too small. */
  readonly calibrated?: ExportedModels;
  readonly fineTune?: () => Model;
}

async function exportFitted(
  { prepared: { dataset, split, recipe } }: FitTask,
  draft: Model,
  { calibrated, fineTune }: ExportSettings,
): Promise<Exported> {
  const { wide } = recipe.model;
  const exported = exportModels(draft, dataset, split, { wide, ...(fineTune && { fineTune }) });
  const keep = (model: Model, of: Model | undefined): Model =>
    of === undefined ? model : { ...model, calibration: of.calibration };
  const served = keep(exported.served, calibrated?.served);
  const float = keep(exported.float, calibrated?.float);
  const engines = {
    served: await loadModel(writeModelFile(served)),
    float: await loadModel(writeModelFile(float)),
  };
  return { ...exported, served, float, engines };
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
  const { training } = recipe;
  const tables = channels.length > 0 ? [commonScalers, ...scalers] : [commonScalers];
  return {
    name: recipe.name,
    version: recipe.version,
    release: recipe.release,
    createdMs: ((training.refit ? split.validationEnd : split.trainEnd) - 1) * periodMs,
    fit: true,
    architecture: {
      cell: recipe.model.cell,
      layers: topology?.layers ?? 0,
      hidden: (topology?.hidden ?? 0) * training.seeds,
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
      ...(recipe.share === 'channels' && { shared: true }),
      scalers: Float32Array.from(
        tables.flatMap((table) => table.flatMap(({ mean, scale }) => [mean, scale])),
      ),
    },
    output: { targets, steps, horizons: recipe.horizons, quantiles: recipe.quantiles },
    training: {
      recipe: canonicalRecipe(recipe),
      // a ridge draws no numbers
      seed: topology === undefined ? 0 : training.seed,
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
  const baselines = scoreBaselines({
    ...{ ...scored, targets, steps, season, scalers, ridge, horizons, origins },
    levels: levelsOf(served.model),
  });
  return { int8, float: scoreEngine(float, scored).score, baselines };
}

/** Whether the model is better than persistence and seasonal naive over the longest horizon of validation: by the mean of
 * its streams' errors, each beside persistence on it, so that the one with the largest numbers does not decide alone. */
function isFit({ int8, baselines }: PartScores, horizon: number): boolean {
  const { persistence, seasonal } = baselines;
  const errorOf = (score: Partial<Score>, stream: string) => score.streams?.[stream]?.horizons[horizon]?.mse;
  const streams = Object.keys(int8.streams).filter((stream) => (errorOf(persistence, stream) ?? 0) > 0);
  const beside = (score: Partial<Score>) =>
    streams.reduce((sum, stream) => {
      const error = errorOf(score, stream) ?? Number.POSITIVE_INFINITY;
      return sum + error / (errorOf(persistence, stream) as number);
    }, 0);
  const own = beside(int8);
  return streams.length > 0 && own < streams.length && own < beside(seasonal);
}

function recordMetrics(validation: PartScores, test: PartScores, exported: ExportReport | undefined): string {
  const quantization = exported && sheetOfQuantization(exported);
  return JSON.stringify({ validation: sheetOf(validation), test: sheetOf(test), quantization });
}
