import type { MeanError } from '../calibrate/running-error.ts';
import type {
  ErrorView,
  HistoryPoint,
  PointView,
  StreamDetail,
  StreamRow,
  View,
  ViewQuery,
} from '../dashboard/view.ts';
import { createForecast } from '../engine/answer.ts';
import type { Engine } from '../engine/engine.ts';
import type { Model } from '../model/model.ts';
import { shortestFloat32 } from '../stream/format.ts';
import type { Monitor } from './monitor.ts';
import { historyLength, type StreamRecord } from './stream-records.ts';

/** Rows of one view at most; the filter finds the others. */
const mostRows = 100;

/** Looks at the streams of a service as the page wants to see them. */
export function createStreamViews(
  { model }: Engine,
  monitor: Monitor,
): (query: ViewQuery) => Omit<View, 'overview'> {
  const readPoints = createPointReader(model);
  const { targets, horizons, steps } = model.output;
  const { errors } = monitor.records;
  const all = Array.from({ length: steps }, (_, i) => i + 1);

  function rowOf(record: StreamRecord, target: number): StreamRow {
    const kept = record.retained.get(targets[target]);
    return {
      stream: record.stream,
      timeMs: kept?.timeMs ?? record.newestSlot * model.input.periodMs,
      value: shown(kept?.value ?? record.value(target)),
      retained: kept !== undefined,
      health: monitor.healthOf(record),
      forecast: readPoints(record, target, horizons),
      ...errorView(errors.mean(record.series(target))),
    };
  }

  function detailOf(record: StreamRecord, target: number): StreamDetail {
    return {
      stream: record.stream,
      target: model.input.names[targets[target]],
      health: monitor.healthOf(record),
      history: historyOf(record, target, model),
      fan: readPoints(record, target, all),
      errors: errors.steps(record.series(target)).map(({ step, n, errorSum, persistenceSum }) => ({
        steps: step,
        ...errorView({ n, mae: errorSum / n, persistenceMae: persistenceSum / n }),
      })),
    };
  }

  return ({ filter, target: wanted, stream }) => {
    const target = wanted < targets.length ? wanted : 0;
    const part = filter.toLowerCase();
    const names = monitor.names();
    const matching = part === '' ? names : names.filter((name) => name.toLowerCase().includes(part));
    const first = matching.slice(0, mostRows).map((name) => monitor.find(name) as StreamRecord);
    const chosen = stream === '' ? first[0] : monitor.find(stream);
    return {
      matching: matching.length,
      rows: first.map((record) => rowOf(record, target)),
      detail: chosen ? detailOf(chosen, target) : null,
    };
  };
}

type PointReader = (record: StreamRecord, target: number, steps: readonly number[]) => PointView[];

function createPointReader(model: Model): PointReader {
  // one forecast to read any stream's answer through
  const scratch = createForecast(model);
  const { periodMs } = model.input;
  return ({ answer, factors, newestSlot }, target, steps) => {
    if (answer === undefined) return [];
    scratch.values.set(answer);
    scratch.factors.set(factors);
    return steps.map((step) => ({
      steps: step,
      timeMs: (newestSlot + step) * periodMs,
      // as it was published
      value: shortestFloat32(scratch.at(step, target)),
      low: shown(scratch.low(step, target)),
      high: shown(scratch.high(step, target)),
    }));
  };
}

function historyOf(record: StreamRecord, target: number, { input, output }: Model): HistoryPoint[] {
  const { newestSlot } = record;
  if (Number.isNaN(newestSlot)) return [];
  const points = Array.from({ length: historyLength }, (_, i) => {
    const slot = newestSlot - historyLength + 1 + i;
    return {
      timeMs: slot * input.periodMs,
      value: shown(record.history(target, slot)),
      forecast: output.horizons.map((_, h) => shown(record.forecastFor(target, h, slot))),
    };
  });
  const first = points.findIndex(
    ({ value, forecast }) => value !== null || forecast.some((one) => one !== null),
  );
  return first === -1 ? [] : points.slice(first);
}

export function errorView({ n, mae, persistenceMae }: MeanError): ErrorView {
  return { n, mae: orNull(mae), persistenceMae: orNull(persistenceMae) };
}

/** With the digits that a float32 has, as it is published. */
function shown(value: number): number | null {
  return Number.isNaN(value) ? null : shortestFloat32(value);
}

/** JSON has no NaN. */
export function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
