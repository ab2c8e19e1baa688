import type { Model } from '../model/model.ts';
import { largestTimeMs } from '../signal/times.ts';
import { createForecast } from './answer.ts';
import { createArena } from './arena.ts';
import type { NoForecast, StepResult } from './forecast.ts';
import { FrameError } from './frame-error.ts';

/** One raw frame: a number a feature in the model's order. What is no number, infinite or absurd counts as missing. */
export interface RawFrame {
  readonly timeMs: number;
  readonly values: ArrayLike<number>;
}

/** One stream's view of a model: its state and nobody else's. */
export interface Session {
  /** Advances the stream by one frame. The result is overwritten by the next call.
   * @throws FrameError when the frame has another number of features or no time */
  step(frame: RawFrame): StepResult;
  /** Forgets everything seen: the next frame is the stream's first. */
  reset(): void;
  /** A copy of the recurrent state, [P, layers, h then c]. */
  state(): Float32Array;
}

const LATE: NoForecast = { kind: 'late' };

export function createSession(model: Model, stream: string): Session {
  const arena = createArena(model, 1);
  const slot = arena.open(stream);
  const forecast = createForecast(model);
  const { features } = model.input;
  const raw = new Float64Array(features);
  return {
    step({ timeMs, values }) {
      if (typeof timeMs !== 'number' || !(Math.abs(timeMs) <= largestTimeMs))
        throw new FrameError(`time ${timeMs}, expected milliseconds since 1970`);
      if (values.length !== features) throw new FrameError(`${values.length} values, expected ${features}`);
      // JavaScript would read a null as 0
      for (let k = 0; k < features; k++) raw[k] = typeof values[k] === 'number' ? values[k] : Number.NaN;
      if (arena.normalize(slot, timeMs, raw) === 'late') return LATE;
      arena.predict();
      return arena.denormalize(0, forecast);
    },
    reset: () => arena.reset(slot),
    state: () => arena.state(slot).slice(),
  };
}
