import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lineChart } from '../evaluate/plot.ts';
import { float32 } from '../kernels/training.ts';
import { createScalarTrainingKernel } from '../kernels/training-scalar.ts';
import { formatDuration } from '../signal/duration.ts';
import { measureGradientFlow } from '../train/gradient-flow.ts';
import { createParameters, initializeParameters, type Topology } from '../train/parameters.ts';
import { trainNetwork } from '../train/trainer.ts';
import type { GradientsArguments, Report, Terminal } from './command.ts';
import { trainerOptions } from './fit-model.ts';
import { openOutput } from './output-folder.ts';
import { type Prepared, prepareTraining } from './prepare.ts';
import { createProgress } from './progress.ts';
import { formatTable } from './table.ts';
import { readRecipe } from './train-recipe.ts';

const cells = ['rnn', 'lstm', 'gru'] as const;
const colors = ['orange', 'blue', 'green'] as const;

/** Enough for the gates to have learnt what to keep; the curves say how far back they do. */
const MOST_EPOCHS = 5;

interface CellFlow {
  /** ||dy/dh|| k steps back after training, k = 0 first. */
  readonly norms: readonly number[];
  /** The same before training. */
  readonly untrained: readonly number[];
}

/** Trains each cell on the recipe's data and measures how its gradient fades or grows back in time. */
export async function runGradients(args: GradientsArguments, terminal: Terminal): Promise<Report> {
  const recipe = readRecipe(args.recipe);
  openOutput(args.out, ['gradients.svg']);
  const { training } = recipe;
  const seed = args.seed ?? training.seed;
  const epochs = Math.min(training.epochs, MOST_EPOCHS);
  const flows = {} as Record<(typeof cells)[number], CellFlow>;
  let frameMs = 0;
  for (const cell of cells) {
    const model = { ...recipe.model, cell, output: 'each', wide: 'auto' } as const;
    const prepared = prepareTraining(
      { ...recipe, model, training: { ...training, seed, epochs } },
      terminal.warn,
    );
    frameMs = prepared.phases * prepared.dataset.periodMs;
    flows[cell] = measureCell(prepared, args.steps, terminal);
  }
  const plot = join(args.out, 'gradients.svg');
  writeFileSync(plot, drawFlows(flows, frameMs, epochs));
  return { summary: { cells: flows, epochs, frameMs, plot }, text: `${tabulate(flows)}\n\n${plot}` };
}

function measureCell(prepared: Prepared, steps: number, { quiet }: Terminal): CellFlow {
  const { runs, phases, trainEnds, recipe } = prepared;
  // each of the cells is one of a network
  const topology = prepared.topology as Topology;
  const options = { steps, phases, trainEnds, seed: recipe.training.seed };
  const initial = createParameters(createScalarTrainingKernel(float32), topology);
  initializeParameters(initial, topology, recipe.training.seed);
  const untrained = measureGradientFlow(topology, initial, runs, options);
  const progress = createProgress({ label: topology.cell.padEnd(4), total: 1000, quiet });
  const { parameters } = trainNetwork(topology, runs, trainerOptions(prepared), {
    onUpdate: ({ share, loss }) => progress.update(Math.round(1000 * share), `loss ${loss.toFixed(4)}`),
  });
  progress.stop();
  return { norms: measureGradientFlow(topology, parameters, runs, options), untrained };
}

/** Each norm beside that of the last step itself, so that the cells can be compared. */
function relative(norms: readonly number[]): number[] {
  return norms.map((norm) => norm / norms[0]);
}

function tabulate(flows: Readonly<Record<string, CellFlow>>): string {
  const names = Object.keys(flows);
  const length = Math.min(...names.map((cell) => flows[cell].norms.length));
  const shown = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500].filter((k) => k < length - 1);
  const rows = [...shown, length - 1].map((k) => [
    String(k),
    ...names.map((cell) => relative(flows[cell].norms)[k].toExponential(2)),
  ]);
  return formatTable(['steps back', ...names], rows);
}

function drawFlows(flows: Readonly<Record<string, CellFlow>>, frameMs: number, epochs: number): string {
  const series = Object.entries(flows).flatMap(([cell, { norms, untrained }], i) => [
    { name: cell, points: relative(norms), color: colors[i], strong: true },
    { name: `${cell}, untrained`, points: relative(untrained), color: colors[i], dashed: true },
  ]);
  const longest = Math.max(...series.map(({ points }) => points.length));
  return lineChart({
    title: 'How far back the last output feels',
    subtitle: `Norm of its gradient at the hidden state beside that of the last step, after ${epochs} epochs`,
    x: Array.from({ length: longest }, (_, k) => k),
    xLabel: `steps back in time, ${formatDuration(frameMs)} each`,
    yLabel: 'gradient norm',
    yKind: 'log',
    series,
  });
}
