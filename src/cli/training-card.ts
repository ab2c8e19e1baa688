import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Forecaster } from '../baselines/forecaster.ts';
import { createPersistence } from '../baselines/persistence.ts';
import { pickRidge } from '../baselines/ridge.ts';
import { createSeasonal } from '../baselines/seasonal.ts';
import { holdAll } from '../data/held.ts';
import { backtest } from '../evaluate/backtest.ts';
import { renderCard } from '../evaluate/card.ts';
import type { CardData, Method, Trace } from '../evaluate/card-data.ts';
import type { Score } from '../evaluate/score.ts';
import { headParameters, layerParameters, multiplyAdds, streamBytes } from './model-size.ts';
import type { Prepared } from './prepare.ts';
import { scoreEngine } from './score-engine.ts';
import { describeSearch, type SearchRecord } from './search-report.ts';
import type { TrainedModel } from './train-model.ts';

/** Frames of the test part that a picture shows, and of the past before a single answer. */
const WINDOW = 168;
const PAST = 24;

/** Writes the card of a training into a folder.
 * @returns the path of its README */
export function writeTrainingCard(
  folder: string,
  prepared: Prepared,
  result: TrainedModel,
  search?: SearchRecord,
): string {
  mkdirSync(folder, { recursive: true });
  for (const { file, text } of renderCard(collect(prepared, result, search)))
    writeFileSync(join(folder, file), text);
  return join(folder, 'README.md');
}

function collect(prepared: Prepared, result: TrainedModel, search: SearchRecord | undefined): CardData {
  const { recipe, dataset, split } = prepared;
  const { served, networks, exported, test, ridge } = result;
  const picks = recipe.horizons.flatMap((h) => {
    const pick = pickRidge(ridge, h);
    return pick ? [[String(h), pick.name]] : [];
  });
  const baselines = baselineForecasters(prepared, result);
  const cells = layerParameters(served).reduce((sum, count) => sum + count, 0);
  return {
    model: served,
    id: result.id,
    parameters: { cells, head: headParameters(served) },
    stateBytes: streamBytes(served),
    multiplyAdds: multiplyAdds(served),
    fileBytes: { served: result.servedBytes.length, float: result.floatBytes.length },
    dataFile: basename(recipe.data),
    dataset,
    split,
    scores: test,
    validation: result.validation.int8,
    ridgePicks: Object.fromEntries(picks),
    errorByStep: errorByStep(prepared, result, baselines),
    ...drawTraces(prepared, result, baselines),
    training: networks.map(({ history, bestEpoch }) => ({ history, bestEpoch, loss: recipe.training.loss })),
    notes: notesOn(prepared, search),
    refit: recipe.training.refit,
    ...(exported && { quantization: exported }),
  };
}

/** How the model came about, where its recipe alone does not say it plainly. */
function notesOn({ recipe }: Prepared, search: SearchRecord | undefined): string[] {
  const { cell, highway, join } = recipe.model;
  const { seed, seeds } = recipe.training;
  const notes = search ? [describeSearch(search)] : [];
  if (cell === 'none') {
    notes.push(`The ridge \`${highway}\` is the whole model; validation chose the penalty of every step.`);
  } else if (join === 'mean') {
    notes.push(`The model is the mean of a network and of the ridge \`${highway}\`, each fitted alone.`);
  } else if (highway !== undefined) {
    notes.push(`The ridge \`${highway}\` was fitted first and frozen; the network learnt what it leaves.`);
  }
  if (seeds > 1) {
    const last = seed + seeds - 1;
    notes.push(
      `${seeds} networks of the seeds ${seed} to ${last}, joined into one: its answer is their mean.`,
    );
  }
  return notes;
}

type Baselines = readonly (readonly [Method, Forecaster])[];

function baselineForecasters(
  { dataset, scalers, targets, steps, season }: Prepared,
  { ridge }: TrainedModel,
): Baselines {
  const held = holdAll(dataset, scalers);
  const task = { targets, steps };
  const picked = pickRidge(ridge, steps);
  return [
    ['persistence', createPersistence(held, task)],
    ...(season > 1 ? [['seasonal', createSeasonal(held, { ...task, season })] as const] : []),
    ...(picked ? [['ridge', picked] as const] : []),
  ];
}

function errorByStep(
  { dataset, split, targets, steps }: Prepared,
  { engines }: TrainedModel,
  baselines: Baselines,
): CardData['errorByStep'] {
  const horizons = Array.from({ length: steps }, (_, i) => i + 1);
  const scored = { dataset, split, part: 'test', horizons } as const;
  const maes = ({ at }: Score) => horizons.map((h) => at[h]?.mae ?? Number.NaN);
  const { score, origins } = scoreEngine(engines.served, scored);
  const others = baselines.map(([name, forecaster]) => [
    name,
    maes(backtest(forecaster, { ...scored, targets, steps, origins })),
  ]);
  return { served: maes(score), ...Object.fromEntries(others) };
}

/** A week of the test part at the longest horizon, and one whole answer in the middle of it. */
function drawTraces(
  prepared: Prepared,
  result: TrainedModel,
  baselines: Baselines,
): Pick<CardData, 'window' | 'fan'> {
  const { dataset, split, steps } = prepared;
  const testRows = dataset.series.map(({ firstSlot, length }) => firstSlot + length - split.validationEnd);
  // the stream with the longest test part: others may have ended before it
  const index = testRows.indexOf(Math.max(...testRows));
  const { firstSlot, length } = dataset.series[index];
  const from = Math.max(0, split.validationEnd - firstSlot);
  const to = Math.min(length, from + WINDOW);
  const origin = Math.max(0, Math.min(Math.floor((from + to - steps) / 2), length - 1 - steps));
  const fanFrom = Math.max(0, origin - PAST + 1);
  const window = traceRows(prepared, result, baselines, {
    index,
    from,
    to,
    place: (row) => [{ step: steps, row: row + steps }],
  });
  const fan = traceRows(prepared, result, baselines, {
    index,
    from: fanFrom,
    to: Math.min(length, origin + steps + 1),
    place: (row) =>
      row === origin ? Array.from({ length: steps }, (_, s) => ({ step: s + 1, row: origin + s + 1 })) : [],
  });
  const madeMs = (firstSlot + origin) * dataset.periodMs;
  return { window: { ...window, horizon: steps }, fan: { ...fan, madeMs } };
}

interface TraceOptions {
  /** Of the series. */
  readonly index: number;
  readonly from: number;
  readonly to: number;
  /** Which steps of the answer to a row are drawn, and at which row. */
  readonly place: (row: number) => readonly { readonly step: number; readonly row: number }[];
}

/** What everybody forecast for the first target in rows from..to-1 of one series. */
function traceRows(
  { dataset, targets, steps }: Prepared,
  { engines }: TrainedModel,
  baselines: Baselines,
  { index, from, to, place }: TraceOptions,
): Trace {
  const series = dataset.series[index];
  const width = dataset.features.length;
  const blank = () => new Float64Array(to - from).fill(Number.NaN);
  const time = (row: number) => (series.firstSlot + row) * dataset.periodMs;
  const forecasts: Partial<Record<Method, Float64Array>> = { served: blank() };
  const [served, low, high] = [forecasts.served as Float64Array, blank(), blank()];
  const out = new Float64Array(targets.length * steps);
  const session = engines.served.openSession(series.stream);
  for (const [name] of baselines) forecasts[name] = blank();
  for (let row = 0; row < to; row++) {
    const places = place(row).filter((drawn) => drawn.row >= from && drawn.row < to);
    if (places.length > 0) {
      for (const [name, forecaster] of baselines) {
        forecaster.forecast(index, row, out);
        for (const drawn of places) (forecasts[name] as Float64Array)[drawn.row - from] = out[drawn.step - 1];
      }
    }
    if (series.present[row] === 0) continue;
    const values = series.values.subarray(row * width, (row + 1) * width);
    const answer = session.step({ timeMs: time(row), values });
    if (answer.kind !== 'forecast') continue;
    for (const drawn of places) {
      served[drawn.row - from] = answer.at(drawn.step);
      low[drawn.row - from] = answer.low(drawn.step);
      high[drawn.row - from] = answer.high(drawn.step);
    }
  }
  return {
    stream: series.stream,
    target: 0,
    timesMs: Float64Array.from({ length: to - from }, (_, i) => time(from + i)),
    truth: Float64Array.from({ length: to - from }, (_, i) => series.values[(from + i) * width + targets[0]]),
    forecasts,
    low,
    high,
  };
}
