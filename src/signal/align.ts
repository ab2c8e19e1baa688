import { slotOf } from './slots.ts';

/** How several readings in one frame become one value. */
type Combine = 'last' | 'mean' | 'sum' | 'max';

export interface AlignerOptions {
  readonly periodMs: number;
  /** F */
  readonly features: number;
  /** Undefined: one reading a frame and feature, and the frame closes as soon as every feature is in. */
  readonly combine?: Combine | undefined;
}

export interface Frame {
  /** The start of the frame's slot. */
  readonly timeMs: number;
  /** [F], NaN where missing. */
  readonly values: Float32Array;
}

/** Where a reading went: it filled its place in a frame, joined one already there, was there before, or came too late. */
export type Alignment = 'applied' | 'merged' | 'duplicate' | 'late';

/** Makes one stream's frames of its readings. */
export interface Aligner {
  /** Takes one reading; NaN is an explicit missing. Frames that it closes are appended to `closed`. */
  push(timeMs: number, feature: number, value: number, closed: Frame[]): Alignment;
  /** The end of the input closes the last frame. */
  flush(closed: Frame[]): void;
}

export function createAligner({ periodMs, features, combine }: AlignerOptions): Aligner {
  // kept when a frame closes: a repeated reading is a duplicate even then
  const newestMs = new Float64Array(features).fill(Number.NEGATIVE_INFINITY);
  const taken = new Uint8Array(features);
  const counts = new Uint32Array(features);
  const combined = new Float64Array(features);
  let slot = Number.NEGATIVE_INFINITY;
  // places of the newest frame that are taken; 0: it is closed
  let filled = 0;

  function take(feature: number, value: number): void {
    if (Number.isNaN(value)) return;
    const before = combined[feature];
    const count = counts[feature]++;
    if (count === 0 || combine === 'last' || combine === undefined) combined[feature] = value;
    else if (combine === 'max') combined[feature] = Math.max(before, value);
    else combined[feature] = before + value;
  }

  function close(closed: Frame[]): void {
    const values = new Float32Array(features);
    for (let k = 0; k < features; k++) {
      const total = counts[k] === 0 ? Number.NaN : combined[k];
      values[k] = combine === 'mean' ? total / counts[k] : total;
    }
    closed.push({ timeMs: slot * periodMs, values });
    taken.fill(0);
    counts.fill(0);
    filled = 0;
  }

  function push(timeMs: number, feature: number, value: number, closed: Frame[]): Alignment {
    if (timeMs === newestMs[feature]) return 'duplicate';
    const at = slotOf(timeMs, periodMs);
    if (at < slot || (at === slot && filled === 0)) return 'late';
    const isFirst = at > slot || taken[feature] === 0;
    if (!isFirst && (combine === undefined || timeMs < newestMs[feature])) return 'late';
    if (at > slot) {
      if (filled > 0) close(closed);
      slot = at;
    }
    newestMs[feature] = timeMs;
    // both roads round here, once, before anything is combined
    take(feature, Math.fround(value));
    if (!isFirst) return 'merged';
    taken[feature] = 1;
    filled++;
    if (combine === undefined && filled === features) close(closed);
    return 'applied';
  }

  return {
    push,
    flush(closed) {
      if (filled > 0) close(closed);
    },
  };
}
