/** The error of the forecasts for one step ahead, beside the error of repeating the newest value. */
interface StepError {
  readonly step: number;
  /** Forecasts whose target has arrived. */
  n: number;
  /** Sums of |forecast - truth| and |newest - truth|. */
  errorSum: number;
  persistenceSum: number;
}

export interface MeanError {
  readonly n: number;
  /** NaN before the first target arrives. */
  readonly mae: number;
  readonly persistenceMae: number;
}

/** One stream's forecasts, held until their targets arrive. */
export interface RunningError {
  readonly steps: readonly StepError[];
  /** A value of the target that was really read: closes the forecasts that aimed at its slot. */
  observe(slot: number, value: number): void;
  /** The forecast made at `slot` for `slot + step`, after the value of `slot` was observed. */
  expect(slot: number, step: number, value: number): void;
}

/** What waits for its target, in the place of slot mod (step + 1): a step has at most that many forecasts open, and
 * one whose target never came is overwritten. */
interface Pending {
  readonly error: StepError;
  readonly targets: Float64Array;
  readonly values: Float64Array;
  readonly newest: Float64Array;
}

/** The running mean absolute error of each step in `steps` alone, against persistence on exactly the same pairs. */
export function createRunningError(steps: readonly number[]): RunningError {
  const pending = steps.map(openPending);
  let newest = Number.NaN;
  return {
    steps: pending.map(({ error }) => error),
    observe(slot, value) {
      for (const entry of pending) settle(entry, slot, value);
      newest = value;
    },
    expect(slot, step, value) {
      const entry = pending.find(({ error }) => error.step === step);
      // without a value so far persistence has no forecast, and there is nothing to compare
      if (!entry || Number.isNaN(newest)) return;
      const place = placeOf(slot + step, entry);
      entry.targets[place] = slot + step;
      entry.values[place] = value;
      entry.newest[place] = newest;
    },
  };
}

function openPending(step: number): Pending {
  return {
    error: { step, n: 0, errorSum: 0, persistenceSum: 0 },
    targets: new Float64Array(step + 1).fill(Number.NaN),
    values: new Float64Array(step + 1),
    newest: new Float64Array(step + 1),
  };
}

function placeOf(slot: number, { targets }: Pending): number {
  return ((slot % targets.length) + targets.length) % targets.length;
}

function settle(entry: Pending, slot: number, truth: number): void {
  const place = placeOf(slot, entry);
  if (entry.targets[place] !== slot) return;
  entry.targets[place] = Number.NaN;
  entry.error.n++;
  entry.error.errorSum += Math.abs(entry.values[place] - truth);
  entry.error.persistenceSum += Math.abs(entry.newest[place] - truth);
}

/** Pooled over all pairs of all streams and steps. */
export function poolErrors(errors: Iterable<RunningError>): MeanError {
  let n = 0;
  let errorSum = 0;
  let persistenceSum = 0;
  for (const { steps } of errors) {
    for (const step of steps) {
      n += step.n;
      errorSum += step.errorSum;
      persistenceSum += step.persistenceSum;
    }
  }
  return { n, mae: errorSum / n, persistenceMae: persistenceSum / n };
}
