import { type HighwaySpec, highwaySize, inputSize, ringFrames } from '../signal/inputs.ts';
import { largestSpread, leastSpread } from '../signal/own-scale.ts';
import { largestMean, largestScale } from '../signal/scaler.ts';
import { slotOf } from '../signal/slots.ts';
import type { SwingSpec } from '../signal/swings.ts';
import { largestTimeMs } from '../signal/times.ts';
import { ModelFormatError } from './format-error.ts';
import {
  type Architecture,
  type CellKind,
  type Layer,
  type ModelInput,
  type ModelOutput,
  outputSize,
  type Tensor,
} from './model.ts';

/** The largest sizes that a model may ask for. They keep what a small file makes a reader allocate small too. */
const limits = {
  layers: 4,
  hidden: 1024,
  features: 1024,
  lags: 20_160,
  gap: 20_160,
  averages: 16,
  ringFloats: 4 * 1024 * 1024,
  inputs: 65_536,
  outputs: 65_536,
  steps: 1024,
  quantiles: 32,
  phases: 20_160,
  highwayWindow: 100_000,
  goldenSlots: 65_536,
  streams: 10_000,
} as const;

const YEAR_MS = 366 * 86_400_000;

/** What keeps every sum of integers inside int32. */
export const integerLimits = {
  sum: 2 ** 31 - 1,
  input: 4095,
  hidden: 127,
  wide: 2047,
  wideHidden: 512,
} as const;

function check(holds: boolean, found: string, expected: string): void {
  if (!holds) throw new ModelFormatError(`${found}, expected ${expected}`);
}

function inRange(value: number, low: number, high: number, what: string): void {
  check(Number.isInteger(value) && value >= low && value <= high, `${what} ${value}`, `${low}..${high}`);
}

function rising(values: readonly number[], what: string): void {
  check(
    values.every((value, i) => i === 0 || value > values[i - 1]),
    `${what} ${values.slice(0, 8).join(', ')}`,
    'rising ones',
  );
}

export function checkInput(input: ModelInput): void {
  const { features, lags, averages, periodMs, names, channels, scalers } = input;
  inRange(features, 1, limits.features, 'features');
  inRange(periodMs, 1, YEAR_MS, 'period in ms');
  inRange(input.season, 1, limits.lags, 'season');
  inRange(input.gapLimit, 0, limits.gap, 'gap limit');
  inRange(lags.length, 0, limits.lags, 'lags:');
  for (const lag of lags) inRange(lag, 1, limits.lags, 'lag');
  rising(lags, 'lags');
  inRange(averages.length, 0, limits.averages, 'averages:');
  for (const tau of averages) check(tau >= 1 && tau <= 1e6, `average over ${tau} frames`, '1..1000000');
  checkRing(ringFrames(input), features);
  if (input.swing) checkSwing(input.swing, input);
  inRange(inputSize(input), 0, limits.inputs, 'inputs:');
  check(new Set(names).size === features && !names.includes(''), `feature names ${names}`, 'distinct ones');
  check(new Set(channels).size === channels.length, 'a channel named twice', 'distinct channels');
  if (input.shared) {
    const areFeatures = features === 1 && channels.length > 0 && channels.every((one) => one.includes('/'));
    check(
      areFeatures,
      `shared channels ${channels.slice(0, 8).join(', ')}`,
      'STREAM/FEATURE, of one feature',
    );
  }
  const expected = (1 + channels.length) * features * 2;
  check(scalers.length === expected, `${scalers.length} scaler values`, `${expected}`);
  for (let i = 0; i < scalers.length; i += 2) {
    const [mean, scale] = [scalers[i], scalers[i + 1]];
    check(
      Math.abs(mean) <= largestMean && scale > 0 && scale <= largestScale,
      `scaler ${mean}, ${scale}`,
      `a mean within ${largestMean} and a positive scale up to ${largestScale}`,
    );
  }
  checkFill(input);
  checkSpread(input);
}

function checkFill({ fill, features, season }: ModelInput): void {
  if (fill === undefined) return;
  check(season > 1, 'fill without a season', 'a season of 2 frames or more');
  check(fill.length === 2 * features, `${fill.length} fill weights`, `${2 * features}`);
  for (const weight of fill) check(weight >= 0 && weight <= 1, `fill weight ${weight}`, '0..1');
}

function checkSpread({ spread, streams, channels, features, plain }: ModelInput): void {
  if (spread === undefined) {
    check(streams === undefined, 'streams without a spread', 'both or none');
    return;
  }
  check(spread.length === features, `${spread.length} spreads`, `${features}`);
  for (const one of spread) {
    const isSpread = one === 0 || (one >= leastSpread && one <= largestSpread);
    check(isSpread, `spread ${one}`, `0 or ${leastSpread}..${largestSpread}`);
  }
  const known = (streams?.size ?? 0) + channels.length;
  check(known > 0, 'a spread without streams or channels', 'the streams of the training');
  inRange(streams?.size ?? 0, 0, limits.streams, 'streams:');
  check(plain !== true, 'a spread with plain inputs', 'differences alone');
}

function checkSwing({ constant, levels }: SwingSpec, { features, lags }: ModelInput): void {
  check(lags.length > 0, 'swings without lags', 'a lag to swing over');
  inRange(constant, lags[lags.length - 1], 1e6, 'swing over');
  check(levels.length === features, `${levels.length} swing levels`, `${features}`);
  for (const level of levels)
    check(level > 0 && level <= largestScale, `swing level ${level}`, `above 0 and up to ${largestScale}`);
}

function checkRing(frames: number, features: number): void {
  const floats = frames * features;
  check(floats <= limits.ringFloats, `a ring of ${floats} floats`, `at most ${limits.ringFloats}`);
}

export function checkOutput(output: ModelOutput, { features, spread }: ModelInput): void {
  const { targets, steps, horizons, quantiles } = output;
  check(!(spread && output.plain), 'a spread with plain outputs', 'increments');
  inRange(targets.length, 1, features, 'targets:');
  for (const target of targets) inRange(target, 0, features - 1, 'target');
  check(new Set(targets).size === targets.length, `targets ${targets}`, 'distinct ones');
  inRange(steps, 1, limits.steps, 'steps');
  inRange(horizons.length, 1, steps, 'horizons:');
  for (const horizon of horizons) inRange(horizon, 1, steps, 'horizon');
  rising(horizons, 'horizons');
  inRange(quantiles.length, 0, limits.quantiles, 'quantiles:');
  for (const level of quantiles) check(level > 0 && level < 1, `quantile ${level}`, 'between 0 and 1');
  rising(quantiles, 'quantiles');
  inRange(outputSize(output), 1, limits.outputs, 'outputs:');
}

export function checkHighway(highway: HighwaySpec, { features }: ModelInput): void {
  inRange(highway.window, 2, limits.highwayWindow, 'highway window');
  checkRing(highway.window, features);
  inRange(highwaySize(highway, features), 1, limits.inputs, 'highway inputs:');
}

/** A time stamp of the training record. */
export function checkTime(timeMs: number, what: string): number {
  check(Math.abs(timeMs) <= largestTimeMs, `${what} ${timeMs}`, 'milliseconds since 1970');
  return timeMs;
}

export function checkGoldenTimes(timesMs: Float64Array, periodMs: number): void {
  check(timesMs.length > 0, 'no golden frames', 'some, or the model cannot prove itself');
  let last = Number.NEGATIVE_INFINITY;
  for (const timeMs of timesMs) {
    const slot = slotOf(checkTime(timeMs, 'golden time'), periodMs);
    check(slot > last, `golden time ${timeMs}`, 'each in a later slot than the one before');
    last = slot;
  }
  const slots = last - slotOf(timesMs[0], periodMs) + 1;
  check(slots <= limits.goldenSlots, `golden frames over ${slots} slots`, `at most ${limits.goldenSlots}`);
}

export function checkArchitecture(architecture: Architecture, input: ModelInput): void {
  const { cell, layers, hidden, phases, segment } = architecture;
  inRange(phases, 1, limits.phases, 'phases');
  inRange(segment, 0, 100_000, 'segment');
  check(
    segment === 0 || phases === 1,
    `segment ${segment} with ${phases} phases`,
    'one phase for output last',
  );
  if (cell === 'none') {
    check(layers === 0 && hidden === 0, `cell none with ${layers} layers of ${hidden}`, 'none');
    return;
  }
  inRange(layers, 1, limits.layers, 'layers');
  inRange(hidden, 1, limits.hidden, 'hidden');
  check(inputSize(input) > 0, 'a network without inputs', 'plain values, lags, averages or a mask');
}

/** Proves that no int32 sum of a quantized layer can overflow: limit * the largest row sum of |w|. */
export function checkIntegerBounds(layer: Layer, what: string, cell: CellKind): void {
  const { inputWeights, recurrentWeights, inputLimit, hiddenLimit } = layer;
  const kinds = [inputWeights, recurrentWeights].map((tensor) => tensor?.kind ?? inputWeights.kind);
  check(kinds[0] === kinds[1], `${what}: weights of kinds ${kinds}`, 'one kind');
  if (inputWeights.kind === 'float32') {
    check(inputLimit === 0 && hiddenLimit === 0, `${what}: float weights with integer limits`, 'limits of 0');
    return;
  }
  check(cell === 'lstm', `${what}: int8 weights in a ${cell} cell`, 'int8 only for the lstm');
  inRange(inputLimit, 1, integerLimits.input, `${what} input limit`);
  const { hidden: narrow, wide } = integerLimits;
  const isLimit = hiddenLimit === narrow || hiddenLimit === wide;
  check(isLimit, `${what} hidden limit ${hiddenLimit}`, `${narrow} or ${wide}`);
  if (hiddenLimit === wide)
    inRange(recurrentWeights?.shape[1] ?? 0, 1, integerLimits.wideHidden, `${what} wide hidden`);
  checkRowSums(inputWeights, inputLimit, `${what} input weights`);
  if (recurrentWeights !== undefined)
    checkRowSums(recurrentWeights, hiddenLimit, `${what} recurrent weights`);
}

/** The integers of h that a layer reads back are the ones that go up to the next layer: one limit for both. */
export function checkStack(layers: readonly Layer[]): void {
  layers.forEach(({ inputWeights, inputLimit }, index) => {
    const what = `layer ${index}`;
    const first = layers[0].inputWeights.kind;
    check(inputWeights.kind === first, `${what}: ${inputWeights.kind} weights`, `${first} as in layer 0`);
    if (index === 0) return;
    const below = layers[index - 1].hiddenLimit;
    check(
      inputLimit === below,
      `${what} input limit ${inputLimit}`,
      `${below}, the hidden limit of layer ${index - 1}`,
    );
  });
}

function checkRowSums(matrix: Tensor, limit: number, what: string): void {
  if (matrix.kind !== 'int8') return;
  const largest = largestRowSum(matrix);
  check(
    largest * limit <= integerLimits.sum,
    `${what}: a sum may reach ${largest * limit}`,
    `at most ${integerLimits.sum}`,
  );
}

/** max over rows of the sum of |integer|. */
export function largestRowSum({ plane, lowPlane, shape }: Extract<Tensor, { kind: 'int8' }>): number {
  const [rows, columns] = shape;
  let largest = 0;
  for (let j = 0; j < rows; j++) {
    let sum = 0;
    for (let k = j * columns; k < (j + 1) * columns; k++) {
      sum += Math.abs(lowPlane ? 32 * plane[k] + lowPlane[k] : plane[k]);
    }
    largest = Math.max(largest, sum);
  }
  return largest;
}
