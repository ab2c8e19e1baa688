import { fitRidge, type RidgeVariant } from '../baselines/ridge.ts';
import { loadDataColumns } from '../config/import-spec.ts';
import { DataError } from '../data/data-error.ts';
import type { Dataset, Split } from '../data/dataset.ts';
import { partRange } from '../data/split.ts';
import type { Engine } from '../engine/engine.ts';
import { scoreBaselines } from '../evaluate/baselines.ts';
import type { Model } from '../model/model.ts';
import type { Scaler } from '../signal/scaler.ts';
import { slotOf } from '../signal/slots.ts';
import type { EvaluateArguments, Report, Terminal } from './command.ts';
import { floatTwin, loadEngine } from './load-engine.ts';
import { loadForRecipe } from './prepare.ts';
import { createProgress } from './progress.ts';
import { levelsOf, type ScoredPart, scoreEngine } from './score-engine.ts';
import { type ScoreSheet, type SheetScores, sheetOf } from './score-sheet.ts';
import { scoreTable } from './score-table.ts';
import { UsageError } from './usage-error.ts';

/** Streams a CSV through the engine and scores one part beside the baselines, on the same pairs. */
export async function runEvaluate(args: EvaluateArguments, terminal: Terminal): Promise<Report> {
  const engine = await loadEngine(args.model);
  const { model } = engine;
  const columns = loadDataColumns(model.training.recipe, `${args.model}:recipe`);
  const { dataset } = loadForRecipe(columns, args.data, terminal.warn);
  const split = splitOf(model, dataset);
  checkPart(dataset, split, args);
  if (args.split === 'validation' && model.createdMs >= model.training.trainEndMs) {
    terminal.warn(`${model.name} was fitted on validation too (refit): these errors are too small`);
  }
  const scored: ScoredPart = { dataset, split, part: args.split };
  const { score: int8, origins } = scoreWithProgress(engine, scored, 'scoring', terminal);
  if (Object.values(int8.n).every((n) => n === 0)) {
    throw new DataError(
      `${args.data} has no reading of the target in the ${args.split} part with a whole horizon after it: nothing to score`,
    );
  }
  const floatPath = args.float ?? floatTwin(args.model);
  const floatEngine = floatPath === undefined ? undefined : await loadEngine(floatPath);
  if (floatEngine !== undefined) checkTwin(model, floatEngine.model, floatPath as string);
  const float = floatEngine && scoreWithProgress(floatEngine, scored, 'scoring float', terminal).score;

  const { targets, steps, horizons } = model.output;
  const scalers = scalersOf(model, dataset);
  const ridge = fitForEvaluation(dataset, split, { targets, steps, scalers }, terminal);
  const baselines = scoreBaselines({
    ...{ dataset, split, part: args.split, targets, steps, horizons, scalers, ridge, origins },
    ...{ season: model.input.season, levels: levelsOf(model) },
  });
  const scores = { int8, float, baselines };
  const sheet = sheetOf(scores);
  return {
    summary: { id: engine.id, split: args.split, ...summarize(scores, sheet), counts: dataset.counts },
    text: `${describeData(model, args, dataset)}\n\n${scoreTable(sheet, model)}`,
  };
}

function summarize(scores: SheetScores, sheet: ScoreSheet) {
  const { int8, baselines } = scores;
  const { persistence, seasonal, ridge, ridgeVariants } = baselines;
  const variants = Object.entries(ridgeVariants).map(([name, score]) => [name, score.horizons]);
  const streams = Object.entries(int8.streams).map(([stream, { horizons, at }]) => [
    stream,
    { ...sheetOf(scores, stream), horizons, at },
  ]);
  return {
    ...sheet,
    horizons: int8.horizons,
    at: int8.at,
    baselines: { ...sheet.baselines, ridgeVariants: Object.fromEntries(variants) },
    baselinesAt: { persistence: persistence.at, seasonal: seasonal.at ?? {}, ridge: ridge.at ?? {} },
    streams: Object.fromEntries(streams),
  };
}

/** A float twin is of the same training, or there is nothing to compare. */
function checkTwin(model: Model, float: Model, path: string): void {
  const origin = ({ name, version, architecture, training }: Model) =>
    JSON.stringify([name, version, architecture, training.recipe, training.dataSha256]);
  const isFloat = float.layers.every(({ inputWeights }) => inputWeights.kind === 'float32');
  if (isFloat && origin(model) === origin(float)) return;
  const difference = isFloat ? 'it is of another training' : 'it holds integers';
  throw new UsageError(`${path} is no float twin of ${model.name}: ${difference}`);
}

/** The borders that the model was trained with, on this data. */
function splitOf({ training, input }: Model, { series, periodMs }: Dataset): Split {
  if (periodMs !== input.periodMs) {
    throw new DataError(
      `data with a period of ${periodMs} ms, the model was trained on ${input.periodMs} ms`,
    );
  }
  return {
    start: Math.min(...series.map(({ firstSlot }) => firstSlot)),
    trainEnd: slotOf(training.trainEndMs, periodMs),
    validationEnd: slotOf(training.validationEndMs, periodMs),
    end: slotOf(training.testEndMs, periodMs),
  };
}

function checkPart(
  { series, periodMs }: Dataset,
  split: Split,
  { split: part, data }: EvaluateArguments,
): void {
  const { from, to } = partRange(split, part);
  if (series.some(({ firstSlot, length }) => firstSlot < to && firstSlot + length > from)) return;
  const date = (slot: number) => new Date(slot * periodMs).toISOString();
  const last = Math.max(...series.map(({ firstSlot, length }) => firstSlot + length - 1));
  throw new DataError(
    `${data} has rows from ${date(split.start)} to ${date(last)}, ` +
      `none in the model's ${part} part from ${date(from)} to ${date(to)}`,
  );
}

function scoreWithProgress(engine: Engine, scored: ScoredPart, label: string, { quiet }: Terminal) {
  const total = scored.dataset.series.reduce((sum, { length }) => sum + length, 0);
  const progress = createProgress({ label, total, unit: 'frames', quiet });
  const score = scoreEngine(engine, scored, (done) => {
    if (done % 256 === 0) progress.update(done);
  });
  progress.update(total);
  progress.stop();
  return score;
}

/** [series][feature], the scalers that the model holds. */
function scalersOf({ input }: Model, { series }: Dataset): Scaler[][] {
  return series.map(({ stream }) => {
    const channel = input.channels.indexOf(stream) + 1;
    return input.names.map((_, k) => {
      const at = 2 * (channel * input.features + k);
      return { mean: input.scalers[at], scale: input.scalers[at + 1] };
    });
  });
}

function fitForEvaluation(
  dataset: Dataset,
  split: Split,
  task: { targets: readonly number[]; steps: number; scalers: readonly (readonly Scaler[])[] },
  { warn, log }: Terminal,
): readonly RidgeVariant[] {
  if (split.start < split.trainEnd) {
    log('fitting the ridge baselines on the training part');
    const variants = fitRidge({ dataset, split, ...task });
    if (variants.length > 0) return variants;
  }
  warn('no ridge baseline: the data has too few rows of the training part to fit one');
  return [];
}

function describeData(
  { name, version, output, input }: Model,
  args: EvaluateArguments,
  { series }: Dataset,
): string {
  const targets = output.targets.map((target) => input.names[target]).join(', ');
  const streams = series.map(({ stream }) => stream);
  const named = streams.length <= 8 ? `: ${streams.join(', ')}` : '';
  return `${name} ${version} on the ${args.split} part of ${args.data}: ${targets} of ${streams.length} streams${named}`;
}
