import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { canonicalRecipe, type Recipe } from '../config/recipe.ts';
import { cardFiles } from '../evaluate/card.ts';
import { countCellParameters, countParameters } from '../train/parameters.ts';
import { createCheckpointFile } from './checkpoint-file.ts';
import type { Report, Terminal, TrainArguments } from './command.ts';
import { openOutput } from './output-folder.ts';
import { type Prepared, prepareTraining } from './prepare.ts';
import { sheetOfQuantization } from './quantization-sheet.ts';
import { sheetOf } from './score-sheet.ts';
import { scoreTable } from './score-table.ts';
import { searchRecipe, type TrainingOutcome, type Trial } from './search.ts';
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
  if (searches && args.resume) {
    throw new UsageError(
      `--resume goes on with a recipe: train ${join(args.out, 'recipe.yaml')}, which a search leaves there`,
    );
  }
  openOutput(args.out, [
    `${recipe.name}.pb`,
    `${recipe.name}.float.pb`,
    `${recipe.name}.checkpoint.json`,
    'recipe.yaml',
  ]);
  openOutput(join(args.out, 'card'), cardFiles);
  const found = searches
    ? await searchRecipe(recipe, args.budgetMs ?? defaultBudgetMs, terminal)
    : { ...(await trainRecipe(recipe, args, terminal)), trials: [] };
  const { prepared, result, totals, trials } = found;
  const path = join(args.out, `${recipe.name}.pb`);
  writeFileSync(path, result.servedBytes);
  writeFileSync(join(args.out, `${recipe.name}.float.pb`), result.floatBytes);
  if (searches) {
    const data = relative(args.out, recipe.data);
    writeFileSync(join(args.out, 'recipe.yaml'), canonicalRecipe(prepared.recipe, data));
  }
  const card = writeTrainingCard(join(args.out, 'card'), prepared, result);
  if (!searches) createCheckpointFile(args.out, prepared).remove();
  const seconds = (performance.now() - startMs) / 1000;
  return report(prepared, result, { ...totals, seconds, path, card, trials });
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

function describeTask({ recipe, dataset, split, topology, phases, season, spec }: Prepared): string {
  const { cell, layers, hidden } = topology;
  const [all, cells] = [countParameters(topology), countCellParameters(topology)];
  const streams = dataset.series.length;
  const date = (slot: number) => new Date(slot * dataset.periodMs).toISOString().slice(0, 10);
  return [
    `${recipe.name}: ${recipe.targets.join(', ')} from ${recipe.features.join(', ')}, ${streams} ${streams === 1 ? 'stream' : 'streams'}, season ${season}`,
    `${cell} ${layers} x ${hidden}, ${phases} ${phases === 1 ? 'phase' : 'phases'}, ${topology.inputs} inputs (lags to ${spec.lags.at(-1)}), ` +
      `${topology.outputs} outputs, ${cells} parameters of the cells and ${all - cells} of the head`,
    `train from ${date(split.start)}, validation from ${date(split.trainEnd)}, test from ${date(split.validationEnd)}`,
  ].join('\n');
}

interface Outcome {
  readonly timesteps: number;
  readonly timestepsPerSecond: number;
  readonly seconds: number;
  readonly path: string;
  readonly card: string;
  /** Of a search. */
  readonly trials: readonly Trial[];
}

function report(prepared: Prepared, result: TrainedModel, outcome: Outcome): Report {
  const { trained, served, servedBytes, exported } = result;
  const { path: model, card, seconds, timesteps, timestepsPerSecond, trials } = outcome;
  const [validation, test] = [sheetOf(result.validation), sheetOf(result.test)];
  return {
    summary: {
      ...{ model, card, id: result.id, fit: served.fit },
      parameters: countCellParameters({ ...prepared.topology, biases: 1 }),
      headParameters: countParameters(prepared.topology) - countCellParameters(prepared.topology),
      epochs: trained.history.length - 1,
      bestEpoch: trained.bestEpoch,
      ...{ seconds, timesteps, timestepsPerSecond, validation, test },
      baselines: test.baselines,
      int8: test.int8,
      ...(trials.length > 0 && { trials }),
      quantization: exported && sheetOfQuantization(exported),
    },
    text: [
      `\n${scoreTable(test, served)}`,
      '',
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
