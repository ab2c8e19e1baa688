import { inputSize } from '../signal/inputs.ts';
import { ModelFormatError } from './format-error.ts';
import type { Architecture, CellKind, Layer, ModelInput, ModelOutput, Tensor } from './model.ts';

/** The largest sizes that a model may ask for. They keep what a small file makes a reader allocate small too. */
const limits = {
  layers: 4,
  hidden: 1024,
  wideHidden: 512,
  features: 1024,
  lags: 20_160,
  averages: 16,
  ringFloats: 4 * 1024 * 1024,
  steps: 1024,
  quantiles: 32,
  phases: 20_160,
} as const;

const INT32_MAX = 2 ** 31 - 1;

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
  check(periodMs > 0 && periodMs <= 366 * 86_400_000, `period ${periodMs} ms`, 'more than 0, at most a year');
  inRange(input.season, 1, limits.lags, 'season');
  inRange(input.gapLimit, 0, 1_000_000, 'gap limit');
  inRange(lags.length, 0, limits.lags, 'lags:');
  for (const lag of lags) inRange(lag, 1, limits.lags, 'lag');
  rising(lags, 'lags');
  inRange(averages.length, 0, limits.averages, 'averages:');
  for (const tau of averages) check(tau >= 1 && tau <= 1e6, `average over ${tau} frames`, '1..1000000');
  const ringFloats = (1 + (lags.at(-1) ?? 0)) * features;
  check(ringFloats <= limits.ringFloats, `a ring of ${ringFloats} floats`, `at most ${limits.ringFloats}`);
  check(new Set(names).size === features && !names.includes(''), `feature names ${names}`, 'distinct ones');
  check(new Set(channels).size === channels.length, 'a channel named twice', 'distinct channels');
  const expected = (1 + channels.length) * features * 2;
  check(scalers.length === expected, `${scalers.length} scaler values`, `${expected}`);
  for (let i = 0; i < scalers.length; i += 2) {
    const [mean, scale] = [scalers[i], scalers[i + 1]];
    check(
      Number.isFinite(mean) && scale > 0 && scale < Infinity,
      `scaler ${mean}, ${scale}`,
      'a positive scale',
    );
  }
}

export function checkOutput(
  { targets, steps, horizons, quantiles }: ModelOutput,
  { features }: ModelInput,
): void {
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
  check(inputSize(input) > 0, 'a network without inputs', 'lags, averages or a mask');
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
  inRange(inputLimit, 1, 4095, `${what} input limit`);
  check(hiddenLimit === 127 || hiddenLimit === 2047, `${what} hidden limit ${hiddenLimit}`, '127 or 2047');
  if (hiddenLimit === 2047)
    inRange(recurrentWeights?.shape[1] ?? 0, 1, limits.wideHidden, `${what} wide hidden`);
  checkRowSums(inputWeights, inputLimit, `${what} input weights`);
  if (recurrentWeights !== undefined)
    checkRowSums(recurrentWeights, hiddenLimit, `${what} recurrent weights`);
}

function checkRowSums(matrix: Tensor, limit: number, what: string): void {
  if (matrix.kind !== 'int8') return;
  const largest = largestRowSum(matrix);
  check(largest * limit <= INT32_MAX, `${what}: a sum may reach ${largest * limit}`, `at most ${INT32_MAX}`);
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
