import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { canonicalRecipe, type Recipe } from '../config/recipe.ts';
import { cardFiles } from '../evaluate/card.ts';
import { countCellParameters, countParameters } from '../train/parameters.ts';
import { createCheckpointFile } from './checkpoint-file.ts';
import type { Report, Terminal, TrainArguments } from './command.ts';
import { headParameters, layerParameters } from './model-size.ts';
import { openOutput } from './output-folder.ts';
import { type Prepared, prepareTraining } from './prepare.ts';
import { sheetOfQuantization } from './quantization-sheet.ts';
import { sheetOf } from './score-sheet.ts';
import { scoreTable } from './score-table.ts';
import { searchRecipe, type TrainingOutcome } from './search.ts';
import { betterBaselines, type SearchRecord } from './search-report.ts';
import { type TrainedModel, trainModel } from './train-model.ts';
import { isYaml, recipeOf } from './train-recipe.ts';
import { writeTrainingCard } from './training-card.ts';
import { createTrainingMeter } from './training-meter.ts';
import { UsageError } from './usage-error.ts';

/** Of a search, unless told otherwise. */
const defaultBudgetMs = 5 * 60_000;

/** Trains a recipe, or the best of a few that suit a CSV, and writes OUT/NAME.pb, OUT/NAME.float.pb and OUT/card. */
export async function runTrain(args: TrainArguments, terminal: Terminal): Promise<Report> {
  const startMs = performance.now();
  const recipe = recipeOf(args);
  const searches = !isYaml(args.input) && args.cell === undefined;
  if (args.resume) checkResume(recipe, searches, args.out);
  openOutput(args.out, [
    `${recipe.name}.pb`,
    `${recipe.name}.float.pb`,
    `${recipe.name}.checkpoint.json`,
    'recipe.yaml',
  ]);
  openOutput(join(args.out, 'card'), cardFiles);
  const { prepared, result, totals, search } = searches
    ? await searchRecipe(recipe, args.budgetMs ?? defaultBudgetMs, terminal)
    : { ...(await trainRecipe(recipe, args, terminal)), search: undefined };
  const path = join(args.out, `${recipe.name}.pb`);
  writeFileSync(path, result.servedBytes);
  writeFileSync(join(args.out, `${recipe.name}.float.pb`), result.floatBytes);
  if (searches) {
    const data = relative(args.out, recipe.data);
    writeFileSync(join(args.out, 'recipe.yaml'), canonicalRecipe(prepared.recipe, data));
  }
  const card = writeTrainingCard(join(args.out, 'card'), prepared, result, search);
  if (!searches) createCheckpointFile(args.out, prepared).remove();
  const seconds = (performance.now() - startMs) / 1000;
  return report(prepared, result, { ...totals, seconds, path, card, search });
}

/** @throws UsageError for a training that keeps no checkpoint */
function checkResume({ model, training }: Recipe, searches: boolean, out: string): void {
  if (searches) {
    throw new UsageError(
      `--resume goes on with a recipe: train ${join(out, 'recipe.yaml')}, which a search leaves there`,
    );
  }
  if (model.cell === 'none') throw new UsageError('--resume is for networks; cell: none is fitted in one go');
  if (training.seeds > 1) {
    throw new UsageError(
      `--resume is for one network; ${training.seeds} seeds keep no checkpoint, so train without it`,
    );
  }
}

async function trainRecipe(
  recipe: Recipe,
  args: TrainArguments,
  terminal: Terminal,
): Promise<TrainingOutcome> {
  const prepared = prepareTraining(recipe, terminal.warn);
  const checkpoints = createCheckpointFile(args.out, prepared);
  const resumed = args.resume ? checkpoints.read() : undefined;
  if (args.resume) {
    const found = resumed ? `going on after epoch ${resumed.history.length - 1}` : 'not there, starting anew';
    terminal.log(`${checkpoints.path}: ${found}`);
  }
  terminal.log(describeTask(prepared));
  const meter = createTrainingMeter(terminal, (resumed?.history.length ?? 1) - 1, recipe.training.epochs);
  const result = await trainModel(prepared, {
    ...(resumed && { resumed }),
    events: { onUpdate: meter.onUpdate, onEpoch: (_, checkpoint) => checkpoints.offer(checkpoint) },
    stage: (line) => {
      meter.stop();
      terminal.log(line);
    },
  });
  return { prepared, result, totals: meter.totals() };
}

function describeTask(prepared: Prepared): string {
  const { recipe, dataset, split, season } = prepared;
  const streams = dataset.series.length;
  const date = (slot: number) => new Date(slot * dataset.periodMs).toISOString().slice(0, 10);
  return [
    `${recipe.name}: ${recipe.targets.join(', ')} from ${recipe.features.join(', ')}, ${streams} ${streams === 1 ? 'stream' : 'streams'}, season ${season}`,
    describeNetwork(prepared),
    `train from ${date(split.start)}, validation from ${date(split.trainEnd)}, test from ${date(split.validationEnd)}`,
  ].join('\n');
}

function describeNetwork({ recipe, topology, phases, spec }: Prepared): string {
  const { highway } = recipe.model;
  if (topology === undefined) return `ridge ${highway}, no network`;
  const { cell, layers, hidden, inputs, outputs } = topology;
  const [all, cells] = [countParameters(topology), countCellParameters(topology)];
  const { seeds } = recipe.training;
  return (
    `${seeds > 1 ? `the mean of ${seeds} networks: ` : ''}${cell} ${layers} x ${hidden}, ${phases} ${phases === 1 ? 'phase' : 'phases'}, ` +
    `${inputs} inputs (lags to ${spec.lags.at(-1)}), ${outputs} outputs, ${cells} parameters of the cells and ${all - cells} of the head` +
    `${highway === undefined ? '' : `, beside the frozen ridge ${highway}`}`
  );
}

interface Outcome {
  readonly timesteps: number;
  readonly timestepsPerSecond: number;
  readonly seconds: number;
  readonly path: string;
  readonly card: string;
  readonly search: SearchRecord | undefined;
}

function report({ recipe }: Prepared, result: TrainedModel, outcome: Outcome): Report {
  const { networks, served, servedBytes, exported } = result;
  const { path: model, card, seconds, timesteps, timestepsPerSecond, search } = outcome;
  const [validation, test] = [sheetOf(result.validation), sheetOf(result.test)];
  const members = networks.map(({ bestEpoch, history, validation }, n) => ({
    ...{ seed: recipe.training.seed + n, epochs: history.length - 1, bestEpoch, validation },
  }));
  return {
    summary: {
      ...{ model, card, id: result.id, fit: served.fit },
      parameters: layerParameters(served).reduce((sum, count) => sum + count, 0),
      headParameters: headParameters(served),
      // a ridge alone has no epochs
      epochs: members.reduce((sum, { epochs }) => sum + epochs, 0),
      bestEpoch: members.at(0)?.bestEpoch ?? 0,
      ...(members.length > 1 && { members }),
      ...{ seconds, timesteps, timestepsPerSecond, validation, test },
      baselines: test.baselines,
      int8: test.int8,
      ...search,
      quantization: exported && sheetOfQuantization(exported),
    },
    text: [
      `\n${scoreTable(test, served)}`,
      '',
      ...(search ? [search.why] : []),
      ...betterBaselines(test, Math.max(...recipe.horizons)),
      ...(exported
        ? [
            `int8 costs ${(100 * exported.cost).toFixed(3).replace(/^-0\.000$/, '0.000')} % of the validation error`,
          ]
        : []),
      ...(served.fit ? [] : ['NOT FIT FOR USE: persistence or seasonal naive is better on validation']),
      `${model}  ${servedBytes.length} bytes`,
      card,
    ].join('\n'),
  };
}
