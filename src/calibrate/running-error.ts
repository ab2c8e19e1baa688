import { createRows } from '../math/rows.ts';

/** The error of the forecasts for one step ahead, beside the error of repeating the newest value. */
interface StepError {
  readonly step: number;
  /** Forecasts whose target has arrived. */
  readonly n: number;
  /** Sums of |forecast - truth| and |newest - truth|. */
  readonly errorSum: number;
  readonly persistenceSum: number;
}

export interface MeanError {
  readonly n: number;
  /** NaN before the first target arrives. */
  readonly mae: number;
  readonly persistenceMae: number;
}

/** Forecasts of many series, held until their targets arrive: the running mean absolute error of each step alone, against
 * persistence on exactly the same pairs. A series is a number from 0 on; its values are float32. */
export interface RunningErrors {
  /** A value of the target that was really read: closes the forecasts that aimed at its slot. */
  observe(series: number, slot: number, value: number): void;
  /** The forecast made at `slot` for `slot + step`, after the value of `slot` was observed. */
  expect(series: number, slot: number, step: number, value: number): void;
  /** By step. */
  steps(series: number): StepError[];
  /** By step, pooled over every `stride`-th series from `first` on. */
  poolSteps(first: number, stride: number): StepError[];
  /** Pooled over all steps of one series. */
  mean(series: number): MeanError;
  /** Pooled over all pairs of all series and steps. */
  pool(): MeanError;
}

/** Where the numbers of a step lie in a series' rows. */
interface Places {
  readonly step: number;
  /** n, errorSum, persistenceSum. */
  readonly sumsAt: number;
  /** What waits for its target lies in the place of slot mod (step + 1): a step has at most that many forecasts open, and
   * one whose target never came is overwritten. */
  readonly pendingAt: number;
}

export function createRunningErrors(steps: readonly number[]): RunningErrors {
  let pending = 0;
  const places = steps.map((step, k): Places => {
    const pendingAt = pending;
    pending += step + 1;
    return { step, sumsAt: 3 * k, pendingAt };
  });
  const sums = createRows(3 * steps.length, (length) => new Float64Array(length));
  // the slots that forecasts aim at
  const targets = createRows(pending, (length) => new Float64Array(length).fill(Number.NaN));
  // the forecasts, and the newest value when each was made
  const values = createRows(2 * pending, (length) => new Float32Array(length));
  // a series without a value so far has nothing to repeat
  const newest = createRows(1, (length) => new Float32Array(length).fill(Number.NaN));
  let count = 0;

  function settle(series: number, slot: number, truth: number, { step, sumsAt, pendingAt }: Places): void {
    const place = pendingAt + modulo(slot, step + 1);
    const aims = targets.block(series);
    const aimAt = targets.at(series) + place;
    if (aims[aimAt] !== slot) return;
    aims[aimAt] = Number.NaN;
    const held = values.block(series);
    const heldAt = values.at(series) + place;
    const row = sums.block(series);
    const at = sums.at(series) + sumsAt;
    row[at]++;
    row[at + 1] += Math.abs(held[heldAt] - truth);
    row[at + 2] += Math.abs(held[heldAt + pending] - truth);
  }

  function stepErrors(row: Float64Array, at: number): StepError[] {
    return places.map(({ step, sumsAt }) => ({
      step,
      n: row[at + sumsAt],
      errorSum: row[at + sumsAt + 1],
      persistenceSum: row[at + sumsAt + 2],
    }));
  }

  function pool(from: number, to: number): MeanError {
    let [n, errorSum, persistenceSum] = [0, 0, 0];
    for (let series = from; series < to; series++) {
      const row = sums.block(series);
      const at = sums.at(series);
      for (const { sumsAt } of places) {
        n += row[at + sumsAt];
        errorSum += row[at + sumsAt + 1];
        persistenceSum += row[at + sumsAt + 2];
      }
    }
    return { n, mae: errorSum / n, persistenceMae: persistenceSum / n };
  }

  return {
    observe(series, slot, value) {
      count = Math.max(count, series + 1);
      for (const one of places) settle(series, slot, value, one);
      newest.block(series)[newest.at(series)] = value;
    },
    expect(series, slot, step, value) {
      const one = places.find((found) => found.step === step);
      const last = newest.block(series)[newest.at(series)];
      if (one === undefined || Number.isNaN(last)) return;
      const place = one.pendingAt + modulo(slot + step, step + 1);
      targets.block(series)[targets.at(series) + place] = slot + step;
      const held = values.block(series);
      held[values.at(series) + place] = value;
      held[values.at(series) + pending + place] = last;
    },
    steps: (series) => stepErrors(sums.block(series), sums.at(series)),
    poolSteps(first, stride) {
      const totals = new Float64Array(3 * places.length);
      for (let series = first; series < count; series += stride) {
        const row = sums.block(series);
        const at = sums.at(series);
        for (let i = 0; i < totals.length; i++) totals[i] += row[at + i];
      }
      return stepErrors(totals, 0);
    },
    mean: (series) => pool(series, series + 1),
    pool: () => pool(0, count),
  };
}

/** From 0 to `length` - 1, of slots before 1970 too. */
function modulo(slot: number, length: number): number {
  return ((slot % length) + length) % length;
}
