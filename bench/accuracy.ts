import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Prepared, prepareDataset, type RecipeData } from '../src/cli/prepare.ts';
import { formatTable } from '../src/cli/table.ts';
import { trainModel } from '../src/cli/train-model.ts';
import { loadRecipe } from '../src/config/recipe.ts';
import { shareChannels } from '../src/data/channels.ts';
import { DataError } from '../src/data/data-error.ts';
import type { Dataset } from '../src/data/dataset.ts';
import { loadDataset } from '../src/data/load.ts';
import { splitByTime } from '../src/data/split.ts';
import type { Metrics, Score } from '../src/evaluate/score.ts';
import { ettChannels, scaleAll } from './baselines.ts';

/** A line of the design's table of ETTh1: what is to be reached, and what others have published. */
interface Case {
  readonly channels: 'OT' | 'all';
  readonly h: number;
  readonly must?: number;
  readonly aim?: number;
  readonly published: string;
}

const cases: readonly Case[] = [
  { channels: 'OT', h: 1, published: '' },
  { channels: 'OT', h: 24, must: 0.0265, aim: 0.0257, published: 'LSTMa .114, Informer .098' },
  { channels: 'OT', h: 96, must: 0.054, aim: 0.0512, published: 'NLinear .053' },
  { channels: 'all', h: 1, published: '' },
  { channels: 'all', h: 24, must: 0.295, aim: 0.278, published: 'LSTMa .650, Informer .577' },
  { channels: 'all', h: 96, must: 0.368, aim: 0.35, published: 'DLinear .375, PatchTST .370, SegRNN .351' },
];

type Pair = Pick<Metrics, 'mse' | 'mae'>;

/** Errors in z units, means over steps 1..h. */
interface AccuracyRow extends Pair {
  /** Such as `ETTh1/OT/24`. */
  readonly name: string;
  /** Origins. */
  readonly n: number;
  readonly seeds: number;
  /** Largest less smallest MSE of the seeds. */
  readonly spread: number;
  /** MSE of the float twins. */
  readonly float: number;
  /** Mean of the seeds on validation. */
  readonly validation: number;
  /** Share of truths inside the 80 % interval. */
  readonly coverage80: number;
  readonly seconds: number;
  readonly persistence: Pair;
  readonly seasonal: Pair;
  readonly ridge: Pair;
}

/** The int8 engine on ETTh1, streaming its full test set one frame at a time, beside the baselines. */
export async function benchAccuracy(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: 'string', default: '../shared/data' },
      seeds: { type: 'string', default: '3' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const chosen = cases.filter((one) => values.only === undefined || nameOf(one).includes(values.only));
  if (chosen.length === 0) {
    throw new DataError(`--only ${values.only} names none of ${cases.map(nameOf).join(', ')}`);
  }
  const etth1 = loadEtth1(values.data);
  const rows: AccuracyRow[] = [];
  for (const one of chosen) {
    const row = await measure(one, etth1, Number(values.seeds));
    rows.push(row);
    console.error(
      `${row.name}: MSE ${row.mse.toFixed(4)} over ${row.seeds} seeds, ${row.seconds.toFixed(0)} s`,
    );
  }
  if (values.json) console.log(JSON.stringify({ measures: rows }));
  else console.log(describe(chosen, rows));
}

function nameOf({ channels, h }: Case): string {
  return `ETTh1/${channels}/${h}`;
}

function loadEtth1(folder: string): Dataset {
  const path = join(folder, 'ETTh1.csv');
  if (!existsSync(path)) {
    throw new DataError(
      `no file ${path}; ETTh1.csv may not be shipped: give --data the folder that holds it`,
    );
  }
  const dataset = loadDataset(path, { features: ettChannels });
  return scaleAll(dataset, splitByTime(dataset, [8640, 2880, 2880]));
}

async function measure(one: Case, etth1: Dataset, seeds: number): Promise<AccuracyRow> {
  const startMs = performance.now();
  const results = [];
  for (let turn = 0; turn < seeds; turn++) results.push(await trainModel(prepare(one, etth1, turn), silent));
  const scores = results.map(({ test }) => pairOf(test.int8, one.h));
  const mses = scores.map(({ mse }) => mse);
  const [{ test }] = results;
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    name: nameOf(one),
    mse: meanOf(mses),
    mae: meanOf(scores.map(({ mae }) => mae)),
    n: test.int8.n[one.h],
    seeds,
    spread: Math.max(...mses) - Math.min(...mses),
    float: meanOf(results.map(({ test }) => pairOf(test.float, one.h).mse)),
    validation: meanOf(results.map(({ validation }) => pairOf(validation.int8, one.h).mse)),
    coverage80: meanOf(results.map(({ test }) => test.int8.horizons[one.h].coverage80 ?? Number.NaN)),
    seconds: (performance.now() - startMs) / 1000,
    persistence: pairOf(test.baselines.persistence, one.h),
    seasonal: pairOf(test.baselines.seasonal as Score, one.h),
    ridge: pairOf(test.baselines.ridge as Score, one.h),
  };
}

const silent = { stage: () => {} };

/** Recipes that join several networks take seeds of their own each turn. */
function prepare(one: Case, etth1: Dataset, turn: number): Prepared {
  const path = fileURLToPath(
    new URL(`recipes/etth1-${one.channels.toLowerCase()}-${one.h}.yaml`, import.meta.url),
  );
  const written = loadRecipe(readFileSync(path, 'utf8'), path);
  const { seed, seeds } = written.training;
  const recipe = { ...written, training: { ...written.training, seed: seed + turn * seeds } };
  return prepareDataset(recipe, dataOf(one, etth1), (line) => console.error(line));
}

function dataOf({ channels }: Case, etth1: Dataset): RecipeData {
  if (channels === 'all') return { dataset: shareChannels(etth1), targets: [0] };
  const only = shareChannels(etth1, [ettChannels.indexOf('OT')]);
  return { dataset: { ...only, features: ['OT'] }, targets: [0] };
}

function pairOf({ horizons }: Pick<Score, 'horizons'>, h: number): Pair {
  const { mse, mae } = horizons[h];
  return { mse, mae };
}

function describe(chosen: readonly Case[], rows: readonly AccuracyRow[]): string {
  const pair = ({ mse, mae }: Pair) => `${mse.toFixed(4)}/${mae.toFixed(4)}`;
  const table = formatTable(
    [
      'ETTh1',
      'n',
      'int8',
      'spread',
      'float',
      'persistence',
      'seasonal',
      'ridge',
      'must',
      'aim',
      'published MSE',
    ],
    rows.map((row, i) => [
      ...[row.name.slice('ETTh1/'.length), row.n, pair(row), row.spread.toFixed(4), row.float.toFixed(4)],
      ...[pair(row.persistence), pair(row.seasonal), pair(row.ridge)],
      ...[chosen[i].must, chosen[i].aim].map((bar) => (bar === undefined ? '' : String(bar))),
      chosen[i].published,
    ]),
  );
  return `MSE/MAE in z units, means over steps 1..h, int8 engine, streaming, mean of ${rows[0].seeds} seeds\n\n${table}`;
}
