import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Forecaster } from '../baselines/forecaster.ts';
import { createPersistence } from '../baselines/persistence.ts';
import { pickRidge } from '../baselines/ridge.ts';
import { createSeasonal } from '../baselines/seasonal.ts';
import { holdAll } from '../data/held.ts';
import { backtest } from '../evaluate/backtest.ts';
import { renderCard } from '../evaluate/card.ts';
import type { CardData, Method } from '../evaluate/card-data.ts';
import type { Score } from '../evaluate/score.ts';
import { countParameters } from '../train/parameters.ts';
import { multiplyAdds, streamBytes } from './model-size.ts';
import type { Prepared } from './prepare.ts';
import { scoreEngine } from './score-engine.ts';
import type { TrainedModel } from './train-model.ts';

/** Frames of the test part that the pictures show. */
const WINDOW = 168;

/** Writes the card of a training into a folder.
 * @returns the path of its README */
export function writeTrainingCard(folder: string, prepared: Prepared, result: TrainedModel): string {
  mkdirSync(folder, { recursive: true });
  for (const { file, text } of renderCard(collect(prepared, result))) writeFileSync(join(folder, file), text);
  return join(folder, 'README.md');
}

function collect(prepared: Prepared, result: TrainedModel): CardData {
  const { recipe, dataset, split, topology } = prepared;
  const { served, trained, exported, test, ridge } = result;
  const picks = recipe.horizons.flatMap((h) => {
    const pick = pickRidge(ridge, h);
    return pick ? [[String(h), pick.name]] : [];
  });
  return {
    ...traces(prepared, result),
    model: served,
    id: result.id,
    parameters: countParameters(topology),
    stateBytes: streamBytes(served),
    multiplyAdds: multiplyAdds(served),
    fileBytes: { served: result.servedBytes.length, float: result.floatBytes.length },
    dataFile: basename(recipe.data),
    dataset,
    split,
    scores: test,
    ridgePicks: Object.fromEntries(picks),
    errorByStep: errorByStep(prepared, result),
    training: { history: trained.history, bestEpoch: trained.bestEpoch, loss: recipe.training.loss },
    ...(exported && { quantization: exported }),
  };
}

function baselineForecasters(
  { dataset, scalers, targets, steps, season }: Prepared,
  { ridge }: TrainedModel,
) {
  const held = holdAll(dataset, scalers);
  const picked = pickRidge(ridge, steps);
  const forecasters: Partial<Record<Method, Forecaster>> = {
    persistence: createPersistence(held, { targets, steps }),
    ...(season > 1 && { seasonal: createSeasonal(held, { targets, steps, season }) }),
    ...(picked && { ridge: picked }),
  };
  return forecasters;
}

function errorByStep(prepared: Prepared, result: TrainedModel): CardData['errorByStep'] {
  const { dataset, split, targets, steps } = prepared;
  const horizons = Array.from({ length: steps }, (_, i) => i + 1);
  const scored = { dataset, split, part: 'test', horizons } as const;
  const maes = ({ at }: Score) => horizons.map((h) => at[h]?.mae ?? Number.NaN);
  const { score, origins } = scoreEngine(result.engines.served, scored);
  const baselines = Object.entries(baselineForecasters(prepared, result)).map(([name, forecaster]) => [
    name,
    maes(backtest(forecaster, { ...scored, targets, steps, origins })),
  ]);
  return { served: maes(score), ...Object.fromEntries(baselines) };
}

/** A week of the first stream's test part at the longest horizon, and one whole answer in the middle of it. */
function traces(prepared: Prepared, result: TrainedModel): Pick<CardData, 'window' | 'fan'> {
  const { dataset, split, targets, steps, recipe } = prepared;
  const [series] = dataset.series;
  const horizon = recipe.horizons.at(-1) ?? 1;
  const width = dataset.features.length;
  const from = Math.max(horizon, split.validationEnd - series.firstSlot);
  const to = Math.min(series.length, from + WINDOW);
  const fanFrom = Math.max(0, Math.floor((from + to - steps) / 2) - WINDOW / 7);
  const fanTo = Math.min(series.length, fanFrom + WINDOW / 7 + steps);
  const origin = fanTo - steps - 1;
  const time = (row: number) => (series.firstSlot + row) * dataset.periodMs;
  const stretch = (a: number, b: number) => ({
    stream: series.stream,
    target: 0,
    timesMs: Float64Array.from({ length: b - a }, (_, i) => time(a + i)),
    truth: Float64Array.from({ length: b - a }, (_, i) => series.values[(a + i) * width + targets[0]]),
  });
  const blank = (length: number) => new Float64Array(length).fill(Number.NaN);
  const windowOf = () => blank(to - from);
  const fanOf = () => blank(fanTo - fanFrom);
  const served = { window: windowOf(), fan: fanOf() };
  const low = { window: windowOf(), fan: fanOf() };
  const high = { window: windowOf(), fan: fanOf() };

  const session = result.engines.served.openSession(series.stream);
  for (let row = 0; row < to; row++) {
    if (series.present[row] === 0) continue;
    const values = series.values.subarray(row * width, (row + 1) * width);
    const answer = session.step({ timeMs: time(row), values });
    if (answer.kind !== 'forecast') continue;
    const place = (at: number, step: number, part: 'window' | 'fan') => {
      served[part][at] = answer.at(step);
      low[part][at] = answer.low(step);
      high[part][at] = answer.high(step);
    };
    if (row + horizon >= from && row + horizon < to) place(row + horizon - from, horizon, 'window');
    if (row === origin) for (let s = 1; s <= steps; s++) place(origin + s - fanFrom, s, 'fan');
  }

  const forecasts = { window: { served: served.window }, fan: { served: served.fan } };
  const out = new Float64Array(targets.length * steps);
  for (const [name, forecaster] of Object.entries(baselineForecasters(prepared, result))) {
    const [inWindow, inFan] = [windowOf(), fanOf()];
    for (let row = from - horizon; row < to - horizon; row++) {
      forecaster.forecast(0, row, out);
      inWindow[row + horizon - from] = out[horizon - 1];
    }
    forecaster.forecast(0, origin, out);
    for (let s = 1; s <= steps; s++) inFan[origin + s - fanFrom] = out[s - 1];
    Object.assign(forecasts.window, { [name]: inWindow });
    Object.assign(forecasts.fan, { [name]: inFan });
  }
  return {
    window: {
      ...stretch(from, to),
      horizon,
      forecasts: forecasts.window,
      low: low.window,
      high: high.window,
    },
    fan: {
      ...stretch(fanFrom, fanTo),
      madeMs: time(origin),
      forecasts: forecasts.fan,
      low: low.fan,
      high: high.fan,
    },
  };
}
