import { createRunningErrors, type RunningErrors } from '../calibrate/running-error.ts';
import type { Forecast, Health } from '../engine/forecast.ts';
import { createRows } from '../math/rows.ts';
import { type Model, outputSize } from '../model/model.ts';
import { normalize } from '../signal/scaler.ts';
import { slotOf } from '../signal/slots.ts';

/** Newest frames of a stream that are kept for its chart. */
export const historyLength = 120;

/** What is known of one stream: its newest frame and its newest forecast. */
export interface StreamRecord {
  readonly stream: string;
  /** NaN before the first frame. */
  readonly newestSlot: number;
  /** Of the newest reading, by this machine's clock; NaN before the first live one. */
  readonly arrivedMs: number;
  readonly health: Health | undefined;
  /** The newest answer's values, as in Forecast; undefined before the first. */
  readonly answer: Float32Array | undefined;
  /** Of the newest answer, as in Forecast. */
  readonly factors: Float32Array;
  /** The time of the frame that it answers; NaN before the first. */
  readonly answeredMs: number;
  /** What the broker had kept, by feature; dropped once a live frame is there. */
  readonly retained: ReadonlyMap<number, RetainedReading>;
  /** The series of its errors, of the target with that index. */
  series(target: number): number;
  /** The newest frame's value. */
  value(target: number): number;
  /** The value at `slot`, NaN where nothing was read. */
  history(target: number, slot: number): number;
  /** What was forecast for `slot` at the horizon with that index, NaN where nothing was. */
  forecastFor(target: number, horizon: number, slot: number): number;
}

/** The newest answer of a stream. */
export interface SavedAnswer {
  readonly timeMs: number;
  readonly health: Health;
  readonly values: Float32Array;
  readonly factors: Float32Array;
}

interface RetainedReading {
  readonly timeMs: number;
  readonly value: number;
}

/** What is known of all streams, each under its number, from 0 on in the order of their coming: numbers in a few arrays,
 * not objects, or thousands of streams would take hundreds of megabytes. */
export interface StreamRecords {
  readonly size: number;
  readonly errors: RunningErrors;
  /** Undefined for a stream that was never opened. */
  numberOf(stream: string): number | undefined;
  /** Finds or makes the record of a stream. */
  open(stream: string): number;
  names(): Iterable<string>;
  /** NaN before the first live reading. */
  arrivedMs(number: number): number;
  /** A look at one stream; it sees what comes later too. */
  look(number: number): StreamRecord;
  noteRetained(number: number, feature: number, timeMs: number, value: number): void;
  noteFrame(number: number, timeMs: number, values: Float32Array, arrivedMs: number, isLive: boolean): void;
  noteForecast(number: number, forecast: Forecast, isLive: boolean): void;
  /** The newest answer, for `restore`; undefined before the first. Its arrays are views. */
  save(number: number): SavedAnswer | undefined;
  /** The newest answer of before a restart. */
  restore(number: number, answer: SavedAnswer): void;
}

const healths: readonly Health[] = ['cold', 'warming', 'warm', 'stale'];

/** Of the exact numbers of a stream; NaN for what is not there. SCALERS_AT: where those of its channel begin. */
const [NEWEST_SLOT, ANSWER_SLOT, ARRIVED_MS, HEALTH, SCALERS_AT] = [0, 1, 2, 3, 4];

/** Values by slot, the newest `length` of them, in a row from `at` on. */
interface Ring {
  readonly at: number;
  readonly length: number;
}

/** @param charted whether anybody may look at the history */
export function createStreamRecords({ input, output }: Model, charted: boolean): StreamRecords {
  const { targets, horizons } = output;
  const errors = createRunningErrors(horizons);
  const layout = layoutRow(targets.length, outputSize(output), charted ? horizons : undefined);
  const exact = createRows(5, (length) => new Float64Array(length).fill(Number.NaN));
  const numbers = createRows(layout.width, (length) => new Float32Array(length).fill(Number.NaN));
  const numberOfStream = new Map<string, number>();
  const names: string[] = [];
  const retained = new Map<number, Map<number, RetainedReading>>();
  const nothingRetained: ReadonlyMap<number, RetainedReading> = new Map();
  const get = (number: number, what: number) => exact.block(number)[exact.at(number) + what];
  const set = (number: number, what: number, value: number) => {
    exact.block(number)[exact.at(number) + what] = value;
  };
  const ringValue = (number: number, ring: Ring | undefined, newest: number, slot: number) =>
    ring === undefined || !(slot <= newest && slot > newest - ring.length)
      ? Number.NaN
      : numbers.block(number)[numbers.at(number) + placeOf(ring, slot)];

  /** NaN where the engine takes a reading for missing: no sensor of this kind says such a thing. */
  function readingOf(number: number, frame: Float32Array, feature: number): number {
    const at = get(number, SCALERS_AT) + 2 * feature;
    const isMissing = Number.isNaN(normalize(frame[feature], input.scalers[at], input.scalers[at + 1]));
    return isMissing ? Number.NaN : frame[feature];
  }

  function setAnswer(number: number, { timeMs, health, values, factors }: SavedAnswer): void {
    const row = numbers.block(number);
    const at = numbers.at(number);
    row.set(values, at + layout.answerAt);
    row.set(factors, at + layout.factorsAt);
    set(number, ANSWER_SLOT, slotOf(timeMs, input.periodMs));
    set(number, HEALTH, healths.indexOf(health));
  }

  function part(number: number, at: number, length: number): Float32Array {
    const from = numbers.at(number) + at;
    return numbers.block(number).subarray(from, from + length);
  }

  return {
    get size() {
      return names.length;
    },
    errors,
    numberOf: (stream) => numberOfStream.get(stream),
    open(stream) {
      const known = numberOfStream.get(stream);
      if (known !== undefined) return known;
      const number = names.push(stream) - 1;
      numberOfStream.set(stream, number);
      set(number, SCALERS_AT, 2 * input.features * (input.channels.indexOf(stream) + 1));
      part(number, layout.factorsAt, targets.length).fill(1);
      return number;
    },
    names: () => names,
    arrivedMs: (number) => get(number, ARRIVED_MS),
    look: (number) => ({
      stream: names[number],
      get newestSlot() {
        return get(number, NEWEST_SLOT);
      },
      get arrivedMs() {
        return get(number, ARRIVED_MS);
      },
      get health() {
        return healths[get(number, HEALTH)];
      },
      get answer() {
        const isThere = !Number.isNaN(get(number, ANSWER_SLOT));
        return isThere ? part(number, layout.answerAt, layout.answerSize) : undefined;
      },
      factors: part(number, layout.factorsAt, targets.length),
      get answeredMs() {
        return get(number, ANSWER_SLOT) * input.periodMs;
      },
      get retained() {
        return retained.get(number) ?? nothingRetained;
      },
      series: (target) => number * targets.length + target,
      value: (target) => part(number, target, 1)[0],
      history: (target, slot) => ringValue(number, layout.history[target], get(number, NEWEST_SLOT), slot),
      forecastFor(target, horizon, slot) {
        const newest = get(number, ANSWER_SLOT) + horizons[horizon];
        return ringValue(number, layout.ahead[target]?.[horizon], newest, slot);
      },
    }),
    noteRetained(number, feature, timeMs, value) {
      if (!Number.isNaN(get(number, NEWEST_SLOT))) return;
      const readings = retained.get(number) ?? new Map<number, RetainedReading>();
      readings.set(feature, { timeMs, value });
      retained.set(number, readings);
    },
    noteFrame(number, timeMs, frame, arrivedMs, isLive) {
      const slot = slotOf(timeMs, input.periodMs);
      const row = numbers.block(number);
      const at = numbers.at(number);
      const newest = get(number, NEWEST_SLOT);
      for (let m = 0; m < targets.length; m++) {
        const truth = readingOf(number, frame, targets[m]);
        row[at + m] = truth;
        if (!Number.isNaN(truth)) errors.observe(number * targets.length + m, slot, truth);
        if (charted) push(row, at, layout.history[m], newest, slot, truth);
      }
      set(number, NEWEST_SLOT, slot);
      if (isLive) set(number, ARRIVED_MS, arrivedMs);
      retained.delete(number);
    },
    noteForecast(number, forecast, isLive) {
      const slot = slotOf(forecast.timeMs, input.periodMs);
      const row = numbers.block(number);
      const at = numbers.at(number);
      const newest = get(number, ANSWER_SLOT);
      for (let m = 0; m < targets.length; m++) {
        for (let h = 0; h < horizons.length; h++) {
          const steps = horizons[h];
          const value = forecast.at(steps, m);
          if (isLive) errors.expect(number * targets.length + m, slot, steps, value);
          if (charted) push(row, at, layout.ahead[m][h], newest + steps, slot + steps, value);
        }
      }
      setAnswer(number, forecast);
    },
    save(number) {
      const slot = get(number, ANSWER_SLOT);
      if (Number.isNaN(slot)) return undefined;
      return {
        timeMs: slot * input.periodMs,
        health: healths[get(number, HEALTH)],
        values: part(number, layout.answerAt, layout.answerSize),
        factors: part(number, layout.factorsAt, targets.length),
      };
    },
    restore(number, answer) {
      setAnswer(number, answer);
      set(number, NEWEST_SLOT, get(number, ANSWER_SLOT));
    },
  };
}

/** Where a stream's float32 numbers lie: the newest value of each target from 0 on, then the others.
 * @param charted the horizons, where a chart shows them */
function layoutRow(targets: number, answerSize: number, charted: readonly number[] | undefined) {
  const factorsAt = targets;
  const answerAt = factorsAt + targets;
  let width = answerAt + answerSize;
  const ring = (length: number): Ring => {
    const at = width;
    width += length;
    return { at, length };
  };
  const history: Ring[] = [];
  const ahead: Ring[][] = [];
  for (let m = 0; m < targets && charted !== undefined; m++) {
    history.push(ring(historyLength));
    ahead.push(charted.map((steps) => ring(historyLength + steps)));
  }
  return { factorsAt, answerAt, answerSize, history, ahead, width };
}

function placeOf({ at, length }: Ring, slot: number): number {
  return at + (((slot % length) + length) % length);
}

/** Puts a value at `slot`, and nothing at the slots between it and the one before. */
function push(
  row: Float32Array,
  rowAt: number,
  ring: Ring,
  newest: number,
  slot: number,
  value: number,
): void {
  // a row is empty before its first value, when `newest` is NaN
  for (let missed = Math.max(newest + 1, slot - ring.length + 1); missed < slot; missed++) {
    row[rowAt + placeOf(ring, missed)] = Number.NaN;
  }
  row[rowAt + placeOf(ring, slot)] = value;
}
