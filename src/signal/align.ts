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
  /** The newest event time of any reading that it took; -Infinity before the first. */
  readonly newestMs: number;
  /** Takes one reading; NaN is an explicit missing. Frames that it closes are appended to `closed`. */
  push(timeMs: number, feature: number, value: number, closed: Frame[]): Alignment;
  /** The end of the input closes the open frames. */
  flush(closed: Frame[]): void;
  /** Everything that it knows, for `restore`: the newest times, [F, REMEMBERED] + [F] of what was seen, then the open
   * frames. */
  save(): number[];
  /** Goes on where another aligner of the same options was saved. */
  restore(saved: ArrayLike<number>): void;
}

interface OpenFrame {
  slot: number;
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
export const REMEMBERED = 16;

/** Readings a feature and frame that may come in any order; beyond that they have to come in the order of time. */
const MOST_UNORDERED = 4096;

export function createAligner(options: AlignerOptions): Aligner {
  return createAligners(options)();
}

/** Makes aligners, one a stream: together they have the memory of as many frames as were ever open at a time. */
export function createAligners({
  periodMs,
  features,
  combine,
  latenessMs = 0,
}: AlignerOptions): () => Aligner {
  const shared: Shared = { periodMs, features, combine, latenessMs, spare: [] };
  return () => new StreamAligner(shared);
}

interface Shared {
  readonly periodMs: number;
  readonly features: number;
  readonly combine: Combine | undefined;
  readonly latenessMs: number;
  /** Closed frames. */
  readonly spare: OpenFrame[];
}

/** A class, since there is one for each of many streams. */
class StreamAligner implements Aligner {
  private readonly shared: Shared;
  /** [F, REMEMBERED] */
  private readonly remembered: number[];
  private readonly memoryAt: number[];
  /** In the order of time. */
  private readonly open: OpenFrame[] = [];
  /** Every slot up to this one is closed. */
  private closedSlot = Number.NEGATIVE_INFINITY;
  newestMs = Number.NEGATIVE_INFINITY;

  constructor(shared: Shared) {
    this.shared = shared;
    this.remembered = Array<number>(shared.features * REMEMBERED).fill(Number.NaN);
    this.memoryAt = Array<number>(shared.features).fill(0);
  }

  push(timeMs: number, feature: number, value: number, closed: Frame[]): Alignment {
    if (this.wasSeen(feature, timeMs)) return 'duplicate';
    const slot = slotOf(timeMs, this.shared.periodMs);
    if (slot <= this.closedSlot) return 'late';
    const frame = this.find(slot);
    const isFirst = frame.taken[feature] === 0;
    if (!isFirst && !this.mayJoin(frame, feature, timeMs)) {
      return frame.timesMs[feature].has(timeMs) ? 'duplicate' : 'late';
    }
    this.remember(frame, feature, timeMs);
    // both roads round here, once, before anything is combined
    take(frame, feature, timeMs, Math.fround(value), this.shared.combine);
    this.newestMs = Math.max(this.newestMs, timeMs);
    this.closePassed(closed);
    this.closeWhole(closed);
    return isFirst ? 'applied' : 'merged';
  }

  flush(closed: Frame[]): void {
    for (const frame of this.open) {
      this.closedSlot = Math.max(this.closedSlot, frame.slot);
      closed.push(this.finish(frame));
    }
    this.open.length = 0;
  }

  save(): number[] {
    const { closedSlot, newestMs, remembered, memoryAt, open } = this;
    const saved = [closedSlot, newestMs, ...remembered, ...memoryAt, open.length];
    for (const frame of open) {
      saved.push(frame.slot);
      for (let k = 0; k < memoryAt.length; k++) {
        saved.push(frame.taken[k], frame.counts[k], frame.combined[k]);
        saved.push(frame.newestMs[k], frame.newestValueMs[k], frame.timesMs[k].size, ...frame.timesMs[k]);
      }
    }
    return saved;
  }

  restore(saved: ArrayLike<number>): void {
    let at = 0;
    const next = () => saved[at++];
    this.closedSlot = next();
    this.newestMs = next();
    for (let i = 0; i < this.remembered.length; i++) this.remembered[i] = next();
    for (let k = 0; k < this.memoryAt.length; k++) this.memoryAt[k] = next();
    this.open.length = 0;
    for (let frames = next(); frames > 0; frames--) {
      const frame = this.find(next());
      for (let k = 0; k < this.memoryAt.length; k++) {
        frame.taken[k] = next();
        frame.filled += frame.taken[k];
        frame.counts[k] = next();
        frame.combined[k] = next();
        frame.newestMs[k] = next();
        frame.newestValueMs[k] = next();
        for (let times = next(); times > 0; times--) frame.timesMs[k].add(next());
      }
    }
  }

  /** The open frame of a slot, opened in its place when there is none. */
  private find(slot: number): OpenFrame {
    const { open, shared } = this;
    let at = 0;
    while (at < open.length && open[at].slot < slot) at++;
    if (at < open.length && open[at].slot === slot) return open[at];
    const frame = shared.spare.pop() ?? createOpenFrame(shared.features);
    frame.slot = slot;
    if (at === open.length) open.push(frame);
    else open.splice(at, 0, frame);
    return frame;
  }

  private mayJoin(frame: OpenFrame, feature: number, timeMs: number): boolean {
    const { combine, latenessMs } = this.shared;
    if (combine === undefined) return false;
    if (timeMs > frame.newestMs[feature]) return true;
    const times = frame.timesMs[feature];
    return latenessMs > 0 && times.size < MOST_UNORDERED && !times.has(timeMs);
  }

  private wasSeen(feature: number, timeMs: number): boolean {
    const from = feature * REMEMBERED;
    for (let i = from; i < from + REMEMBERED; i++) if (this.remembered[i] === timeMs) return true;
    return false;
  }

  private remember(frame: OpenFrame, feature: number, timeMs: number): void {
    this.remembered[feature * REMEMBERED + this.memoryAt[feature]] = timeMs;
    this.memoryAt[feature] = (this.memoryAt[feature] + 1) % REMEMBERED;
    const times = frame.timesMs[feature];
    if (this.shared.latenessMs > 0 && times.size < MOST_UNORDERED) times.add(timeMs);
  }

  /** A later reading closes every frame that ends `latenessMs` or more before it. */
  private closePassed(closed: Frame[]): void {
    const { open, shared } = this;
    const passed = slotOf(this.newestMs - shared.latenessMs, shared.periodMs) - 1;
    while (open.length > 0 && open[0].slot <= passed) closed.push(this.finish(open.shift() as OpenFrame));
    this.closedSlot = Math.max(this.closedSlot, passed);
  }

  /** A whole frame need not wait, once all before it are closed. */
  private closeWhole(closed: Frame[]): void {
    const { open, shared } = this;
    if (shared.combine !== undefined) return;
    while (open.length > 0 && open[0].slot === this.closedSlot + 1 && open[0].filled === shared.features) {
      closed.push(this.finish(open.shift() as OpenFrame));
      this.closedSlot++;
    }
  }

  private finish(frame: OpenFrame): Frame {
    const { features, combine, periodMs, spare } = this.shared;
    const { slot, counts, combined } = frame;
    const values = new Float32Array(features);
    for (let k = 0; k < features; k++) {
      const total = counts[k] === 0 ? Number.NaN : combined[k];
      values[k] = combine === 'mean' ? total / counts[k] : total;
    }
    empty(frame);
    spare.push(frame);
    return { timeMs: slot * periodMs, values };
  }
}

function take(
  frame: OpenFrame,
  feature: number,
  timeMs: number,
  value: number,
  combine: Combine | undefined,
): void {
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

function createOpenFrame(features: number): OpenFrame {
  return {
    slot: 0,
    taken: new Uint8Array(features),
    filled: 0,
    counts: new Uint32Array(features),
    combined: new Float64Array(features),
    newestMs: new Float64Array(features).fill(Number.NEGATIVE_INFINITY),
    newestValueMs: new Float64Array(features).fill(Number.NEGATIVE_INFINITY),
    timesMs: Array.from({ length: features }, () => new Set<number>()),
  };
}

/** As it was created. */
function empty(frame: OpenFrame): void {
  frame.filled = 0;
  for (let k = 0; k < frame.taken.length; k++) {
    frame.taken[k] = 0;
    frame.counts[k] = 0;
    frame.combined[k] = 0;
    frame.newestMs[k] = Number.NEGATIVE_INFINITY;
    frame.newestValueMs[k] = Number.NEGATIVE_INFINITY;
    if (frame.timesMs[k].size > 0) frame.timesMs[k].clear();
  }
}
