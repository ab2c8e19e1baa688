import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { shareChannels } from '../src/data/channels.ts';
import { DataError } from '../src/data/data-error.ts';
import type { Dataset, Split } from '../src/data/dataset.ts';
import { holdAll } from '../src/data/held.ts';
import { loadDataset } from '../src/data/load.ts';
import { fitScalers } from '../src/data/scalers.ts';
import { splitByTime } from '../src/data/split.ts';
import { type BaselineScores, scoreBaselines } from '../src/evaluate/baselines.ts';
import type { Metrics, Score } from '../src/evaluate/score.ts';
import { normalize } from '../src/signal/scaler.ts';

type BaselineName = 'persistence' | 'seasonal' | 'own96' | 'own336' | 'own336each' | 'all12';

/** A line of the reference figures: the means over steps 1..h. */
interface Fact {
  readonly baseline: BaselineName;
  readonly h: number;
  readonly metrics: Partial<Metrics>;
}

export interface BaselineRow {
  /** Such as `ETTh1/OT/24 own336 mse`. */
  readonly name: string;
  readonly ours: number;
  readonly fact: number;
  readonly deviationPercent: number;
}

export const ettChannels = ['HUFL', 'HULL', 'MUFL', 'MULL', 'LUFL', 'LULL', 'OT'];
const weatherFeatures = ['temp', 'dewp', 'humid', 'wind_speed', 'pressure', 'visib', 'precip'];

const ettOtFacts: readonly Fact[] = [
  { baseline: 'persistence', h: 1, metrics: { mse: 0.0042, mae: 0.0458 } },
  { baseline: 'persistence', h: 24, metrics: { mse: 0.0343, mae: 0.1394 } },
  { baseline: 'persistence', h: 96, metrics: { mse: 0.0693, mae: 0.2033 } },
  { baseline: 'seasonal', h: 1, metrics: { mse: 0.0458, mae: 0.1664 } },
  { baseline: 'seasonal', h: 24, metrics: { mse: 0.0458, mae: 0.1663 } },
  { baseline: 'seasonal', h: 96, metrics: { mse: 0.0714, mae: 0.2105 } },
  { baseline: 'own336', h: 1, metrics: { mse: 0.0038, mae: 0.0449 } },
  { baseline: 'own336', h: 24, metrics: { mse: 0.026, mae: 0.122 } },
  { baseline: 'own336', h: 96, metrics: { mse: 0.0528, mae: 0.1767 } },
];
const ettAllFacts: readonly Fact[] = [
  { baseline: 'persistence', h: 1, metrics: { mse: 0.1748, mae: 0.2555 } },
  { baseline: 'persistence', h: 24, metrics: { mse: 1.222, mae: 0.6706 } },
  { baseline: 'persistence', h: 96, metrics: { mse: 1.294, mae: 0.7132 } },
  { baseline: 'seasonal', h: 1, metrics: { mse: 0.4238, mae: 0.3892 } },
  { baseline: 'seasonal', h: 24, metrics: { mse: 0.4244, mae: 0.3892 } },
  { baseline: 'seasonal', h: 96, metrics: { mse: 0.5122, mae: 0.4333 } },
  { baseline: 'own336each', h: 1, metrics: { mse: 0.0979, mae: 0.2003 } },
  { baseline: 'own336each', h: 24, metrics: { mse: 0.306, mae: 0.3539 } },
  { baseline: 'own336', h: 96, metrics: { mse: 0.3696, mae: 0.3913 } },
];
export const jfkFacts: readonly Fact[] = [
  { baseline: 'persistence', h: 1, metrics: { mae: 1.135, rmse: 1.611 } },
  { baseline: 'persistence', h: 24, metrics: { mae: 5.39, rmse: 7.076 } },
  { baseline: 'own96', h: 1, metrics: { mae: 1.064, rmse: 1.445 } },
  { baseline: 'own96', h: 24, metrics: { mae: 4.466, rmse: 5.974 } },
  { baseline: 'all12', h: 24, metrics: { mae: 4.171, rmse: 5.719 } },
];

/** Our baselines beside the reference figures. ETTh1 is never shipped: it lies in --data. */
export function benchBaselines(args: readonly string[]): BaselineRow[] {
  const { values } = parseArgs({
    args: [...args],
    options: { data: { type: 'string', default: '../shared/data' } },
  });
  const path = join(values.data, 'ETTh1.csv');
  if (!existsSync(path)) {
    throw new DataError(
      `no file ${path}; ETTh1.csv may not be shipped: give --data the folder that holds it`,
    );
  }
  const etth1 = loadDataset(path, { features: ettChannels });
  const split = splitByTime(etth1, [8640, 2880, 2880]);
  const z = scaleAll(etth1, split);
  const season = 24;
  const jfk = loadJfk('models/nyc-weather/weather.csv');
  const jfkSplit = splitByTime(jfk, [0.6, 0.2, 0.2]);
  const rows = [
    ...compare(
      'ETTh1/OT',
      scoreOn(shareChannels(z, [6]), split, { horizons: [1, 24, 96], season }),
      ettOtFacts,
    ),
    ...compare('ETTh1/all', scoreOn(shareChannels(z), split, { horizons: [1, 24, 96], season }), ettAllFacts),
    ...compare('JFK', scoreOn(holdDataset(jfk, jfkSplit), jfkSplit, { horizons: [1, 24], season }), jfkFacts),
  ];
  printRows(rows);
  return rows;
}

export function loadJfk(path: string): Dataset {
  const weather = loadDataset(path, { time: 'time_hour', stream: 'origin', features: weatherFeatures });
  return { ...weather, series: weather.series.filter(({ stream }) => stream === 'JFK') };
}

/** ETT figures are errors of z-scores. */
export function scaleAll(dataset: Dataset, split: Split): Dataset {
  const scalers = fitScalers(dataset, split);
  const width = dataset.features.length;
  const series = dataset.series.map((one, s) => ({
    ...one,
    values: one.values.map((value, i) => {
      const { mean, scale } = scalers[s][i % width];
      return normalize(value, mean, scale);
    }),
  }));
  return { ...dataset, series };
}

/** The reference figures scored JFK with gaps held, and held targets counted. */
export function holdDataset(dataset: Dataset, split: Split): Dataset {
  const held = holdAll(dataset, fitScalers(dataset, split));
  const width = dataset.features.length;
  const series = dataset.series.map((one, s) => ({
    ...one,
    values: one.values.map((_, i) => held[s][i % width][Math.floor(i / width)]),
    present: one.present.map(() => 1),
  }));
  return { ...dataset, series };
}

function scoreOn(
  dataset: Dataset,
  split: Split,
  { horizons, season }: { horizons: number[]; season: number },
) {
  const scalers = fitScalers(dataset, split, { perStream: true });
  const steps = Math.max(...horizons);
  return scoreBaselines({ dataset, split, part: 'test', targets: [0], steps, horizons, season, scalers });
}

export function compare(label: string, scores: BaselineScores, facts: readonly Fact[]): BaselineRow[] {
  return facts.flatMap(({ baseline, h, metrics }) => {
    const score = scoreOf(scores, baseline).horizons[h];
    return Object.entries(metrics).map(([metric, fact]) => {
      // the reference is rounded: compare at its digits
      const digits = fact < 1 ? 4 : 3;
      const ours = Number(score[metric as keyof Metrics]?.toFixed(Math.max(4, digits)));
      const deviationPercent = (Number(ours.toFixed(digits)) / fact - 1) * 100;
      return { name: `${label}/${h} ${baseline} ${metric}`, ours, fact, deviationPercent };
    });
  });
}

function scoreOf({ persistence, seasonal, ridgeVariants }: BaselineScores, name: BaselineName): Score {
  if (name === 'persistence') return persistence;
  return (name === 'seasonal' ? seasonal : ridgeVariants[name]) as Score;
}

function printRows(rows: readonly BaselineRow[]): void {
  for (const { name, ours, fact, deviationPercent } of rows) {
    const deviation = `${deviationPercent >= 0 ? '+' : ''}${deviationPercent.toFixed(2)} %`;
    console.log(
      `${name.padEnd(32)} ${ours.toFixed(4).padStart(8)} ${fact.toFixed(4).padStart(8)} ${deviation.padStart(9)}`,
    );
  }
  const worst = Math.max(...rows.map(({ deviationPercent }) => Math.abs(deviationPercent)));
  console.log(`largest deviation from the reference: ${worst.toFixed(2)} %`);
}
