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

/** Where a stream's recent past lies, as offsets from the start of its floats: ring [R, F], averages [F, A], mask [F]. */
export interface PastLayout {
  readonly spec: InputSpec;
  /** R: frames that the ring holds. */
  readonly ringLength: number;
  readonly averagesOffset: number;
  readonly maskOffset: number;
  /** Floats a stream. */
  readonly size: number;
  /** I */
  readonly inputSize: number;
}

/** I: the length of the network's input. */
export function inputSize({ features, lags, averages, mask, plain }: InputSpec): number {
  return features * ((plain ? 1 : 0) + lags.length + averages.length + (mask ? 1 : 0));
}

export function layoutPast(spec: InputSpec, highwayWindow = 1): PastLayout {
  const ringLength = Math.max(highwayWindow, 1 + Math.max(0, ...spec.lags));
  const averagesOffset = ringLength * spec.features;
  const maskOffset = averagesOffset + spec.features * spec.averages.length;
  return {
    spec,
    ringLength,
    averagesOffset,
    maskOffset,
    size: maskOffset + spec.features,
    inputSize: inputSize(spec),
  };
}

function ringRow(layout: PastLayout, slot: number): number {
  const { ringLength } = layout;
  return (((slot % ringLength) + ringLength) % ringLength) * layout.spec.features;
}

/** Fills a stream's past with its first frame, so that every difference starts at 0.
 * @param frame [F] z-scores; NaN (nothing known yet) becomes the training mean, 0 */
export function startPast(
  layout: PastLayout,
  memory: Float32Array,
  offset: number,
  frame: Float32Array,
): void {
  const { features, averages } = layout.spec;
  for (let k = 0; k < features; k++) {
    const value = Number.isNaN(frame[k]) ? 0 : frame[k];
    for (let r = 0; r < layout.ringLength; r++) memory[offset + r * features + k] = value;
    for (let a = 0; a < averages.length; a++) {
      memory[offset + layout.averagesOffset + k * averages.length + a] = value;
    }
    memory[offset + layout.maskOffset + k] = Number.isNaN(frame[k]) ? 1 : 0;
  }
}

/** Takes the frame of `slot`, the one after the newest in the ring. A missing value (NaN) holds the one before it.
 * e <- e + (x - e) / tau for every average. */
export function pushFrame(
  layout: PastLayout,
  memory: Float32Array,
  offset: number,
  slot: number,
  frame: Float32Array,
): void {
  const { features, averages } = layout.spec;
  const row = offset + ringRow(layout, slot);
  const before = offset + ringRow(layout, slot - 1);
  for (let k = 0; k < features; k++) {
    const given = frame[k];
    const missing = Number.isNaN(given);
    const x = missing ? memory[before + k] : given;
    memory[row + k] = x;
    memory[offset + layout.maskOffset + k] = missing ? 1 : 0;
    const base = offset + layout.averagesOffset + k * averages.length;
    for (let a = 0; a < averages.length; a++) {
      const e = memory[base + a];
      memory[base + a] = e + Math.fround(Math.fround(x - e) / averages[a]);
    }
  }
}

/** Writes f [I]: for each feature x[t] where the inputs are plain, x[t-lag] - x[t] for every lag, e - x[t] for every
 * average, then its mask. */
export function writeInputs(
  layout: PastLayout,
  memory: Float32Array,
  offset: number,
  slot: number,
  out: Float32Array,
  outOffset: number,
): void {
  const { features, lags, averages, mask, plain } = layout.spec;
  const newest = offset + ringRow(layout, slot);
  let position = outOffset;
  for (let k = 0; k < features; k++) {
    const x = memory[newest + k];
    if (plain) out[position++] = x;
    for (let j = 0; j < lags.length; j++) {
      const past = memory[offset + ringRow(layout, slot - lags[j]) + k];
      out[position++] = past - x;
    }
    const base = offset + layout.averagesOffset + k * averages.length;
    for (let a = 0; a < averages.length; a++) out[position++] = memory[base + a] - x;
    if (mask) out[position++] = memory[offset + layout.maskOffset + k];
  }
}

/** Where the newest (held) z-score of a feature lies. */
export function newestIndex(layout: PastLayout, offset: number, slot: number, feature: number): number {
  return offset + ringRow(layout, slot) + feature;
}

/** The newest (held) z-score of a feature. */
export function newestValue(
  layout: PastLayout,
  memory: Float32Array,
  offset: number,
  slot: number,
  feature: number,
): number {
  return memory[newestIndex(layout, offset, slot, feature)];
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
  const newest = offset + ringRow(layout, slot);
  const count = allFeatures ? layout.spec.features : targets.length;
  let position = outOffset;
  for (let i = 0; i < count; i++) {
    const k = allFeatures ? i : targets[i];
    const x = memory[newest + k];
    for (let j = 1; j < window; j++) {
      out[position++] = memory[offset + ringRow(layout, slot - j) + k] - x;
    }
  }
  if (!allFeatures) return;
  for (let k = 0; k < count; k++) out[position++] = memory[newest + k];
}
