import { createRunningError, type RunningError } from '../calibrate/running-error.ts';
import type { Forecast, Health } from '../engine/forecast.ts';
import { type Model, outputSize } from '../model/model.ts';
import { normalize } from '../signal/scaler.ts';
import { slotOf } from '../signal/slots.ts';

/** Newest frames of a stream that are kept for its chart. */
export const historyLength = 120;

/** What is known of one stream: its newest frame, its newest forecast, and how good the earlier ones were. */
export interface StreamRecord {
  readonly stream: string;
  /** By target. */
  readonly errors: readonly RunningError[];
  /** NaN before the first live frame. */
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
  readonly retained: ReadonlyMap<number, { readonly timeMs: number; readonly value: number }>;
  /** The newest frame's value. */
  value(target: number): number;
  /** The value at `slot`, NaN where nothing was read. */
  history(target: number, slot: number): number;
  /** What was forecast for `slot` at the horizon with that index, NaN where nothing was. */
  forecastFor(target: number, horizon: number, slot: number): number;
  noteRetained(feature: number, timeMs: number, value: number): void;
  noteFrame(timeMs: number, values: Float32Array, arrivedMs: number, isLive: boolean): void;
  noteForecast(forecast: Forecast, isLive: boolean): void;
  /** The newest answer of before a restart. */
  restore(answer: SavedAnswer): void;
}

/** The newest answer of a stream. */
export interface SavedAnswer {
  readonly timeMs: number;
  readonly health: Health;
  readonly values: Float32Array;
  readonly factors: Float32Array;
}

/** Values by slot, the newest `length` of them. */
interface Ring {
  get(slot: number): number;
  set(slot: number, value: number): void;
}

function createRing(length: number): Ring {
  const values = new Float32Array(length).fill(Number.NaN);
  let newest = Number.NEGATIVE_INFINITY;
  const place = (slot: number) => ((slot % length) + length) % length;
  return {
    get: (slot) => (slot > newest || slot <= newest - length ? Number.NaN : values[place(slot)]),
    set(slot, value) {
      for (let missed = Math.max(newest + 1, slot - length + 1); missed < slot; missed++) {
        values[place(missed)] = Number.NaN;
      }
      values[place(slot)] = value;
      newest = Math.max(newest, slot);
    },
  };
}

/** @param charted whether anybody may look at its history */
export function createStreamRecord(stream: string, { input, output }: Model, charted: boolean): StreamRecord {
  const { targets, horizons } = output;
  const errors = targets.map(() => createRunningError(horizons));
  const rings = charted ? targets.map(() => createRing(historyLength)) : [];
  const ahead = rings.map(() => horizons.map((steps) => createRing(historyLength + steps)));
  const values = new Float32Array(targets.length).fill(Number.NaN);
  const scalersAt = (input.channels.indexOf(stream) + 1) * input.features;
  /** NaN where the engine takes a reading for missing: no sensor of this kind says such a thing. */
  const readingOf = (frame: Float32Array, feature: number) => {
    const at = 2 * (scalersAt + feature);
    return Number.isNaN(normalize(frame[feature], input.scalers[at], input.scalers[at + 1]))
      ? Number.NaN
      : frame[feature];
  };
  const retained = new Map<number, { timeMs: number; value: number }>();
  const factors = new Float32Array(targets.length).fill(1);
  let newestSlot = Number.NaN;
  let newestArrivedMs = Number.NaN;
  let health: Health | undefined;
  let answer: Float32Array | undefined;
  let answeredMs = Number.NaN;
  return {
    ...{ stream, errors, retained, factors },
    get newestSlot() {
      return newestSlot;
    },
    get arrivedMs() {
      return newestArrivedMs;
    },
    get health() {
      return health;
    },
    get answer() {
      return answer;
    },
    get answeredMs() {
      return answeredMs;
    },
    value: (target) => values[target],
    history: (target, slot) => rings[target]?.get(slot) ?? Number.NaN,
    forecastFor: (target, horizon, slot) => ahead[target]?.[horizon].get(slot) ?? Number.NaN,
    noteRetained(feature, timeMs, value) {
      if (Number.isNaN(newestSlot)) retained.set(feature, { timeMs, value });
    },
    noteFrame(timeMs, frame, arrivedMs, isLive) {
      const slot = slotOf(timeMs, input.periodMs);
      newestSlot = slot;
      if (isLive) newestArrivedMs = arrivedMs;
      retained.clear();
      for (let m = 0; m < targets.length; m++) {
        const truth = readingOf(frame, targets[m]);
        values[m] = truth;
        if (!Number.isNaN(truth)) errors[m].observe(slot, truth);
        rings[m]?.set(slot, truth);
      }
    },
    restore(saved) {
      health = saved.health;
      answer = saved.values;
      factors.set(saved.factors);
      answeredMs = saved.timeMs;
      newestSlot = slotOf(answeredMs, input.periodMs);
    },
    noteForecast(forecast, isLive) {
      health = forecast.health;
      answeredMs = forecast.timeMs;
      answer ??= new Float32Array(outputSize(output));
      answer.set(forecast.values);
      factors.set(forecast.factors);
      const slot = slotOf(forecast.timeMs, input.periodMs);
      for (let m = 0; m < targets.length; m++) {
        horizons.forEach((steps, h) => {
          const value = forecast.at(steps, m);
          if (isLive) errors[m].expect(slot, steps, value);
          ahead[m]?.[h].set(slot + steps, value);
        });
      }
    },
  };
}
