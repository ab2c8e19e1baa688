import { learnScale, scaleFloats, startScales } from './own-scale.ts';
import { placeOf } from './slots.ts';
import { countSwing, learnSwing, type SwingSpec, startSwings, swingFloats } from './swings.ts';

/** How frames of z-scores become the network's inputs. Lags and averages are differences: shift every value, nothing
 * changes. */
export interface InputSpec {
  /** F */
  readonly features: number;
  /** Frames back, ascending. */
  readonly lags: readonly number[];
  /** Time constants of the moving averages, in frames. */
  readonly averages: readonly number[];
  readonly mask: boolean;
  /** S, in frames: what fill looks back by. */
  readonly season?: number;
  /** alpha, beta of each feature, [F, 2]: how a missing value follows the season (signal/fill.ts); absent: it is held. */
  readonly fill?: Float32Array;
  /** Mean squared steps of the training, [F]: what a stream of its own scale is measured by
   * (signal/own-scale.ts); absent: no stream has one. */
  readonly spread?: Float32Array;
  /** What widens the distances of quantiles; absent: nothing. */
  readonly swing?: SwingSpec;
  /** The newest values themselves are inputs too: what a network from elsewhere takes (src/import). */
  readonly plain?: boolean;
}

/** The linear highway's view of the past. */
export interface HighwaySpec {
  readonly allFeatures: boolean;
  /** Values looked at, the newest included. */
  readonly window: number;
  readonly targets: readonly number[];
}

/** Where a stream's recent past lies, as offsets from the start of its floats: ring [R, F], averages [F, A], mask [F], then,
 * where they are wanted, scales of its own [F, 4] and swings [1 + F]. */
export interface PastLayout {
  readonly spec: InputSpec;
  /** R: frames that the ring holds. */
  readonly ringLength: number;
  readonly averagesOffset: number;
  readonly maskOffset: number;
  readonly scaleOffset: number;
  readonly swingOffset: number;
  /** L: the longest lag. */
  readonly reach: number;
  /** Floats a stream. */
  readonly size: number;
  /** I */
  readonly inputSize: number;
}

/** I: the length of the network's input. */
export function inputSize({ features, lags, averages, mask, plain }: InputSpec): number {
  return features * ((plain ? 1 : 0) + lags.length + averages.length + (mask ? 1 : 0));
}

/** R: frames that lags, highway, fill and own scales look at, the newest included. */
export function ringFrames(spec: InputSpec, highwayWindow = 1): number {
  const { lags, season = 1, fill, spread } = spec;
  // x[t-1-S] is read where x[t] is written then
  const filled = fill ? season + 1 : 1;
  const measured = spread ? 2 : 1;
  return Math.max(highwayWindow, 1 + (lags.at(-1) ?? 0), filled, measured);
}

export function layoutPast(spec: InputSpec, highwayWindow = 1): PastLayout {
  const reach = Math.max(0, ...spec.lags);
  const ringLength = ringFrames(spec, highwayWindow);
  const averagesOffset = ringLength * spec.features;
  const maskOffset = averagesOffset + spec.features * spec.averages.length;
  const scaleOffset = maskOffset + spec.features;
  const swingOffset = scaleOffset + (spec.spread ? spec.features * scaleFloats : 0);
  return {
    spec,
    reach,
    ringLength,
    averagesOffset,
    maskOffset,
    scaleOffset,
    swingOffset,
    size: swingOffset + (spec.swing ? swingFloats(spec.features) : 0),
    inputSize: inputSize(spec),
  };
}

/** Which row of the ring holds the frame of `slot`. */
function ringRow({ ringLength }: PastLayout, slot: number): number {
  return placeOf(slot, ringLength);
}

/** Where the row of the frame `back` frames before the one in row `row` begins; back 0..R. */
function rowBefore({ ringLength, spec }: PastLayout, row: number, back: number): number {
  const before = row - back;
  return (before < 0 ? before + ringLength : before) * spec.features;
}

/** Makes a stream new: its scale is the training's, and stays so for a known one. A stream that starts cold after a long
 * gap is the same sensor still and keeps its scale. */
export function openPast(layout: PastLayout, memory: Float32Array, offset: number, known: boolean): void {
  const { spread } = layout.spec;
  if (spread) startScales(memory, offset + layout.scaleOffset, spread, known);
}

/** Fills a stream's past with its first frame, so that every difference starts at 0.
 * @param frame [F] z-scores; NaN (nothing known yet) becomes the training mean, 0 */
export function startPast(
  layout: PastLayout,
  memory: Float32Array,
  offset: number,
  frame: Float32Array,
): void {
  const { features, averages, swing } = layout.spec;
  if (swing) startSwings(memory, offset + layout.swingOffset, features, layout.reach);
  for (let k = 0; k < features; k++) {
    const value = Number.isNaN(frame[k]) ? 0 : frame[k];
    for (let r = 0; r < layout.ringLength; r++) memory[offset + r * features + k] = value;
    for (let a = 0; a < averages.length; a++) {
      memory[offset + layout.averagesOffset + k * averages.length + a] = value;
    }
    memory[offset + layout.maskOffset + k] = Number.isNaN(frame[k]) ? 1 : 0;
  }
}

/** Takes the frame of `slot`, the one after the newest in the ring. A missing value (NaN) follows the season, or holds the
 * one before it. e <- e + (x - e) / tau for every average. */
export function pushFrame(
  layout: PastLayout,
  memory: Float32Array,
  offset: number,
  slot: number,
  frame: Float32Array,
): void {
  const { features, averages, spread, swing } = layout.spec;
  const newest = ringRow(layout, slot);
  const row = offset + rowBefore(layout, newest, 0);
  const before = offset + rowBefore(layout, newest, 1);
  const past = offset + rowBefore(layout, newest, layout.reach);
  const swingAt = offset + layout.swingOffset;
  if (swing) countSwing(memory, swingAt, swing);
  for (let k = 0; k < features; k++) {
    const missing = Number.isNaN(frame[k]);
    if (missing) fillValue(layout, memory, offset, newest, k);
    else memory[row + k] = frame[k];
    const x = memory[row + k];
    const maskAt = offset + layout.maskOffset + k;
    // only a step between two values that were read tells a scale
    if (spread && !missing && memory[maskAt] === 0)
      learnScale(memory, offset + layout.scaleOffset + k * scaleFloats, row + k, before + k, spread, k);
    if (swing && !missing)
      learnSwing(memory, swingAt, k, row + k, past + k, inverseIndex(layout, offset, k), swing);
    memory[maskAt] = missing ? 1 : 0;
    const base = offset + layout.averagesOffset + k * averages.length;
    for (let a = 0; a < averages.length; a++) {
      const e = memory[base + a];
      memory[base + a] = e + Math.fround(Math.fround(x - e) / averages[a]);
    }
  }
}

/** x[t] = (x[t-1] + alpha * (x[t-S] - x[t-1-S])) + beta * (x[t-1-S] - x[t-1]), which stays bounded (signal/fill.ts). The
 * ring of a stream that is younger than a season holds its first value: no course yet, and beta draws towards that. */
function fillValue(layout: PastLayout, memory: Float32Array, offset: number, row: number, k: number): void {
  const { fill, season = 1 } = layout.spec;
  const at = offset + rowBefore(layout, row, 0) + k;
  const newest = memory[offset + rowBefore(layout, row, 1) + k];
  if (fill === undefined) {
    memory[at] = newest;
    return;
  }
  const before = memory[offset + rowBefore(layout, row, 1 + season) + k];
  const course = Math.fround(memory[offset + rowBefore(layout, row, season) + k] - before);
  const error = Math.fround(before - newest);
  memory[at] = Math.fround(newest + Math.fround(fill[2 * k] * course)) + Math.fround(fill[2 * k + 1] * error);
}

/** Writes f [I]: for each feature x[t] where the inputs are plain, x[t-lag] - x[t] for every lag, e - x[t] for every
 * average, then its mask. Differences are times 1/g where streams have scales of their own. */
export function writeInputs(
  layout: PastLayout,
  memory: Float32Array,
  offset: number,
  slot: number,
  out: Float32Array,
  outOffset: number,
): void {
  const { features, lags, averages, mask, plain } = layout.spec;
  const row = ringRow(layout, slot);
  const newest = offset + rowBefore(layout, row, 0);
  let position = outOffset;
  for (let k = 0; k < features; k++) {
    const x = memory[newest + k];
    const inverseAt = inverseIndex(layout, offset, k);
    const inverse = inverseAt < 0 ? 1 : memory[inverseAt];
    if (plain) out[position++] = x;
    for (let j = 0; j < lags.length; j++) {
      const past = memory[offset + rowBefore(layout, row, lags[j]) + k];
      out[position++] = Math.fround(past - x) * inverse;
    }
    const base = offset + layout.averagesOffset + k * averages.length;
    for (let a = 0; a < averages.length; a++) out[position++] = Math.fround(memory[base + a] - x) * inverse;
    if (mask) out[position++] = memory[offset + layout.maskOffset + k];
  }
}

/** Where 1/g of a feature lies; -1 where streams have no scale of their own: it is 1. */
function inverseIndex({ spec, scaleOffset }: PastLayout, offset: number, feature: number): number {
  return spec.spread ? offset + scaleOffset + feature * scaleFloats + 1 : -1;
}

/** Where the newest (filled) z-score of a feature lies. */
export function newestIndex(layout: PastLayout, offset: number, slot: number, feature: number): number {
  return offset + rowBefore(layout, ringRow(layout, slot), 0) + feature;
}

/** The newest (filled) z-score of a feature. */
export function newestValue(
  layout: PastLayout,
  memory: Float32Array,
  offset: number,
  slot: number,
  feature: number,
): number {
  return memory[newestIndex(layout, offset, slot, feature)];
}

/** Writes g of each target, 1 where streams have no scale of their own: what its increments are multiplied by. */
export function writeFactors(
  layout: PastLayout,
  memory: Float32Array,
  offset: number,
  targets: readonly number[],
  out: Float32Array,
): void {
  const { spread } = layout.spec;
  for (let m = 0; m < targets.length; m++)
    out[m] = spread ? memory[offset + layout.scaleOffset + targets[m] * scaleFloats] : 1;
}

/** Where the swing of a feature lies, for `writeWidth`; -1 where none is learnt. */
export function swingIndex({ spec, swingOffset }: PastLayout, offset: number, feature: number): number {
  return spec.swing ? offset + swingOffset + 1 + feature : -1;
}

/** D: the length of the highway's input. */
export function highwaySize({ allFeatures, window, targets }: HighwaySpec, features: number): number {
  return allFeatures ? features * window : targets.length * (window - 1);
}

/** Writes v [D]: for each of its features x[t-j] - x[t] for j = 1..window-1; with all features, then the newest values. */
export function writeHighwayInputs(
  layout: PastLayout,
  highway: HighwaySpec,
  memory: Float32Array,
  offset: number,
  slot: number,
  out: Float32Array,
  outOffset: number,
): void {
  const { allFeatures, window, targets } = highway;
  const row = ringRow(layout, slot);
  const newest = offset + rowBefore(layout, row, 0);
  const count = allFeatures ? layout.spec.features : targets.length;
  let position = outOffset;
  for (let i = 0; i < count; i++) {
    const k = allFeatures ? i : targets[i];
    const x = memory[newest + k];
    const inverseAt = inverseIndex(layout, offset, k);
    const inverse = inverseAt < 0 ? 1 : memory[inverseAt];
    for (let j = 1; j < window; j++) {
      out[position++] = Math.fround(memory[offset + rowBefore(layout, row, j) + k] - x) * inverse;
    }
  }
  if (!allFeatures) return;
  for (let k = 0; k < count; k++) {
    const inverseAt = inverseIndex(layout, offset, k);
    out[position++] = inverseAt < 0 ? memory[newest + k] : memory[newest + k] * memory[inverseAt];
  }
}
