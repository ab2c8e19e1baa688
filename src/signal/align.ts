import { slotOf } from './slots.ts';

/** How several readings in one frame become one value. */
export type Combine = 'last' | 'mean' | 'sum' | 'max';

export interface AlignerOptions {
  readonly periodMs: number;
  /** F */
  readonly features: number;
  /** Undefined: one reading a frame and feature, and the frame closes as soon as every feature is in. */
  readonly combine?: Combine | undefined;
  /** How much later than its end, in event time, a frame still waits for readings out of order. */
  readonly latenessMs?: number | undefined;
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
  /** The end of the input closes the open frames. */
  flush(closed: Frame[]): void;
}

interface OpenFrame {
  readonly slot: number;
  /** [F] places that are taken, and how many. */
  readonly taken: Uint8Array;
  filled: number;
  /** [F] numbers combined so far. */
  readonly counts: Uint32Array;
  readonly combined: Float64Array;
  /** [F] event time of the newest reading, and of the newest that is no explicit missing. */
  readonly newestMs: Float64Array;
  readonly newestValueMs: Float64Array;
  /** [F] event times of the readings, where they may come in any order. */
  readonly timesMs: readonly Set<number>[];
}

/** Times a feature that are remembered after their frame has closed: a broker's second delivery of them is a duplicate
 * and not late. */
const REMEMBERED = 16;

/** Readings a feature and frame that may come in any order; beyond that they have to come in the order of time. */
const MOST_UNORDERED = 4096;

export function createAligner({ periodMs, features, combine, latenessMs = 0 }: AlignerOptions): Aligner {
  const remembered = new Float64Array(features * REMEMBERED).fill(Number.NaN);
  const memoryAt = new Uint8Array(features);
  /** In the order of time. */
  const open: OpenFrame[] = [];
  /** Every slot up to this one is closed. */
  let closedSlot = Number.NEGATIVE_INFINITY;
  let newestMs = Number.NEGATIVE_INFINITY;

  function push(timeMs: number, feature: number, value: number, closed: Frame[]): Alignment {
    if (wasSeen(feature, timeMs)) return 'duplicate';
    const slot = slotOf(timeMs, periodMs);
    if (slot <= closedSlot) return 'late';
    const frame = open.find((one) => one.slot === slot) ?? insert(slot);
    const isFirst = frame.taken[feature] === 0;
    if (!isFirst && !mayJoin(frame, feature, timeMs)) {
      return frame.timesMs[feature].has(timeMs) ? 'duplicate' : 'late';
    }
    remember(frame, feature, timeMs);
    // both roads round here, once, before anything is combined
    take(frame, feature, timeMs, Math.fround(value));
    newestMs = Math.max(newestMs, timeMs);
    closePassed(closed);
    closeWhole(closed);
    return isFirst ? 'applied' : 'merged';
  }

  function insert(slot: number): OpenFrame {
    const frame = openFrame(slot, features);
    const after = open.findIndex((one) => one.slot > slot);
    open.splice(after === -1 ? open.length : after, 0, frame);
    return frame;
  }

  function mayJoin(frame: OpenFrame, feature: number, timeMs: number): boolean {
    if (combine === undefined) return false;
    if (timeMs > frame.newestMs[feature]) return true;
    const times = frame.timesMs[feature];
    return latenessMs > 0 && times.size < MOST_UNORDERED && !times.has(timeMs);
  }

  function wasSeen(feature: number, timeMs: number): boolean {
    const from = feature * REMEMBERED;
    for (let i = from; i < from + REMEMBERED; i++) if (remembered[i] === timeMs) return true;
    return false;
  }

  function remember(frame: OpenFrame, feature: number, timeMs: number): void {
    remembered[feature * REMEMBERED + memoryAt[feature]] = timeMs;
    memoryAt[feature] = (memoryAt[feature] + 1) % REMEMBERED;
    const times = frame.timesMs[feature];
    if (latenessMs > 0 && times.size < MOST_UNORDERED) times.add(timeMs);
  }

  function take(frame: OpenFrame, feature: number, timeMs: number, value: number): void {
    if (frame.taken[feature] === 0) {
      frame.taken[feature] = 1;
      frame.filled++;
    }
    frame.newestMs[feature] = Math.max(frame.newestMs[feature], timeMs);
    if (Number.isNaN(value)) return;
    const isNewest = timeMs >= frame.newestValueMs[feature];
    if (isNewest) frame.newestValueMs[feature] = timeMs;
    const before = frame.combined[feature];
    const count = frame.counts[feature]++;
    if (count === 0) frame.combined[feature] = value;
    else if (combine === 'last') frame.combined[feature] = isNewest ? value : before;
    else if (combine === 'max') frame.combined[feature] = Math.max(before, value);
    else frame.combined[feature] = before + value;
  }

  /** A later reading closes every frame that ends `latenessMs` or more before it. */
  function closePassed(closed: Frame[]): void {
    const passed = slotOf(newestMs - latenessMs, periodMs) - 1;
    while (open.length > 0 && open[0].slot <= passed) closed.push(finish(open.shift() as OpenFrame));
    closedSlot = Math.max(closedSlot, passed);
  }

  /** A whole frame need not wait, once all before it are closed. */
  function closeWhole(closed: Frame[]): void {
    if (combine !== undefined) return;
    while (open.length > 0 && open[0].slot === closedSlot + 1 && open[0].filled === features) {
      closed.push(finish(open.shift() as OpenFrame));
      closedSlot++;
    }
  }

  function finish({ slot, counts, combined }: OpenFrame): Frame {
    const values = new Float32Array(features);
    for (let k = 0; k < features; k++) {
      const total = counts[k] === 0 ? Number.NaN : combined[k];
      values[k] = combine === 'mean' ? total / counts[k] : total;
    }
    return { timeMs: slot * periodMs, values };
  }

  return {
    push,
    flush(closed) {
      for (const frame of open) closed.push(finish(frame));
      closedSlot = Math.max(closedSlot, ...open.map(({ slot }) => slot));
      open.length = 0;
    },
  };
}

function openFrame(slot: number, features: number): OpenFrame {
  return {
    slot,
    taken: new Uint8Array(features),
    filled: 0,
    counts: new Uint32Array(features),
    combined: new Float64Array(features),
    newestMs: new Float64Array(features).fill(Number.NEGATIVE_INFINITY),
    newestValueMs: new Float64Array(features).fill(Number.NEGATIVE_INFINITY),
    timesMs: Array.from({ length: features }, () => new Set<number>()),
  };
}
