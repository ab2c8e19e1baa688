import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { countParameters } from '../train/parameters.ts';
import { createCheckpointFile } from './checkpoint-file.ts';
import type { Report, Terminal, TrainArguments } from './command.ts';
import { prepareTraining } from './prepare.ts';
import { createProgress } from './progress.ts';
import { scoreTable } from './score-table.ts';
import { horizonsOf, type TrainedModel, trainModel } from './train-model.ts';
import { recipeOf } from './train-recipe.ts';
import { writeTrainingCard } from './training-card.ts';

/** Trains a recipe and writes OUT/NAME.pb, OUT/NAME.float.pb and the card. */
export async function runTrain(args: TrainArguments, terminal: Terminal): Promise<Report> {
  const recipe = recipeOf(args);
  const startMs = performance.now();
  const prepared = prepareTraining(recipe, terminal.warn);
  mkdirSync(args.out, { recursive: true });
  const checkpoints = createCheckpointFile(args.out, prepared);
  const resumed = args.resume ? checkpoints.read() : undefined;
  if (args.resume) {
    const found = resumed
      ? `going on after epoch ${resumed.history.length - 1}`
      : 'no checkpoint, starting anew';
    terminal.log(`${checkpoints.path}: ${found}`);
  }
  const parameters = countParameters(prepared.topology);
  terminal.log(describeTask(prepared, parameters));

  const { epochs, batch, chunk } = prepared.recipe.training;
  const total = 1000;
  const progress = createProgress({ label: 'training', total, quiet: terminal.quiet, start: 0 });
  const trainStart = performance.now();
  let trainedMs = 0;
  let timesteps = 0;
  const result = await trainModel(prepared, {
    ...(resumed && { resumed }),
    events: {
      onUpdate: ({ epoch, loss, validation, share, ...report }) => {
        timesteps = report.timesteps;
        const speed = timesteps / ((performance.now() - trainStart) / 1000);
        const detail = `epoch ${epoch}/${epochs} · loss ${loss.toFixed(4)} · validation ${validation.toFixed(4)}`;
        progress.update(Math.round(share * total), `${detail} · ${Math.round(speed / 1000)} k timesteps/s`);
      },
      onEpoch: (_, checkpoint) => checkpoints.offer(checkpoint),
    },
    stage: (line) => {
      if (trainedMs === 0) {
        trainedMs = performance.now() - trainStart;
        progress.stop();
      }
      terminal.log(line);
    },
  });
  const model = join(args.out, `${recipe.name}.pb`);
  writeFileSync(model, result.servedBytes);
  writeFileSync(join(args.out, `${recipe.name}.float.pb`), result.floatBytes);
  const card = writeTrainingCard(join(args.out, 'card'), prepared, result);
  checkpoints.remove();
  const seconds = (performance.now() - startMs) / 1000;
  const scores = horizonsOf(result.test);
  return {
    summary: {
      model,
      float: join(args.out, `${recipe.name}.float.pb`),
      card,
      id: result.engines.served.id,
      fit: result.served.fit,
      parameters,
      epochs: result.trained.history.length - 1,
      bestEpoch: result.trained.bestEpoch,
      seconds,
      timestepsPerSecond: timesteps / (trainedMs / 1000),
      validation: horizonsOf(result.validation),
      test: scores,
      baselines: scores.baselines,
      int8: scores.int8,
      quantization: summarizeExport(result),
    },
    text: `${scoreTable(scores)}\n\n${verdict(result)}\n${model}  (${result.servedBytes.length} bytes)\n${card}`,
  };
}
