import type { Model } from '../model/model.ts';
import { largestTimeMs } from '../signal/times.ts';
import { createForecast } from './answer.ts';
import { type Arena, createArena } from './arena.ts';
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

/** Where the sessions of one model live: in one memory. A session that is collected leaves its slot to a later one. */
interface Room {
  readonly arena: Arena;
  readonly collected: FinalizationRegistry<number>;
}

const rooms = new WeakMap<Model, Room>();

function roomOf(model: Model): Room {
  const known = rooms.get(model);
  if (known !== undefined) return known;
  const arena = createArena(model, 1);
  const room = { arena, collected: new FinalizationRegistry<number>((slot) => arena.close(slot)) };
  rooms.set(model, room);
  return room;
}

export function createSession(model: Model, stream: string): Session {
  const { arena, collected } = roomOf(model);
  const slot = arena.openApart(stream);
  const forecast = createForecast(model);
  const { features } = model.input;
  const raw = new Float64Array(features);
  const session: Session = {
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
  collected.register(session, slot);
  return session;
}
