import type { Dataset, Series, Split } from '../data/dataset.ts';
import { type HeldValues, holdAll } from '../data/held.ts';
import { normalize, type Scaler } from '../signal/scaler.ts';
import type { Forecaster, ForecastTask } from './forecaster.ts';
import { fitLinear, type LinearMap, refitLinear, type UncountedWindow } from './linear.ts';
import { addMoments, emptyMoments } from './moments.ts';
import { allChannels, type Channel, ownChannels, type Range } from './windows.ts';

export type RidgeName = 'own96' | 'own336' | 'own336each' | 'all12';

/** A fitted ridge. In z-scores y = x[t] + bias + v weights, with v as signal/inputs.ts writes it for a highway. */
export interface RidgeVariant extends Forecaster {
  readonly name: RidgeName;
  readonly allFeatures: boolean;
  /** Values looked at, the newest included. */
  readonly window: number;
  /** One map for all channels (series and targets, in this order), or one for each.
   * Outputs R: the steps; with all features the targets and steps. */
  readonly maps: readonly LinearMap[];
  /** [N], mean squared error of each step alone on the validation part, in z units. */
  readonly validationMse: Float64Array;
}

export interface RidgeOptions extends ForecastTask {
  readonly dataset: Dataset;
  readonly split: Split;
  /** [series][feature] */
  readonly scalers: readonly (readonly Scaler[])[];
}

interface Plan {
  readonly name: RidgeName;
  readonly window: number;
  readonly allFeatures: boolean;
  /** A map for each channel. */
  readonly each: boolean;
}

const plans: readonly Plan[] = [
  { name: 'own96', window: 96, allFeatures: false, each: false },
  { name: 'own336', window: 336, allFeatures: false, each: false },
  { name: 'own336each', window: 336, allFeatures: false, each: true },
  { name: 'all12', window: 12, allFeatures: true, each: false },
];

/** Beyond these a fit takes minutes. */
const maximumFeatures = 32;
const maximumMaps = 32;

/** Fits every variant that the training part has enough windows for. */
export function fitRidge(options: RidgeOptions): RidgeVariant[] {
  const dataset = withoutAbsurd(options);
  const held = holdAll(dataset, options.scalers);
  return plans.flatMap((plan) => fitVariant(plan, { ...options, dataset }, held) ?? []);
}

/** The maps of a variant fitted once more, on training and validation together, under the penalties that it has. */
export function refitRidge(variant: RidgeVariant, options: RidgeOptions): LinearMap[] {
  const dataset = withoutAbsurd(options);
  const held = holdAll(dataset, options.scalers);
  const known = { ...options.split, trainEnd: options.split.validationEnd };
  const plan = plans.find(({ name }) => name === variant.name) as Plan;
  return groupChannels(plan, options, held).groups.map((group, i) => {
    const moments = emptyMoments(inputsOf(plan, dataset), group[0].targets.length * options.steps);
    for (const channel of group) {
      const range = trainingRange(dataset.series[channel.series], channel, { ...options, split: known });
      addMoments(moments, channel.moments(range));
    }
    return refitLinear(variant.maps[i], moments);
  });
}

/** A reading without a z-score is missing, as it is to the network: one of them would make every sum NaN. */
function withoutAbsurd({ dataset, scalers }: RidgeOptions): Dataset {
  const width = dataset.features.length;
  const series = dataset.series.map((one, s) => ({
    ...one,
    values: one.values.map((value, i) => {
      const { mean, scale } = scalers[s][i % width];
      return Number.isNaN(normalize(value, mean, scale)) ? Number.NaN : value;
    }),
  }));
  return { ...dataset, series };
}

/** The variant with the least validation error over steps 1..h; undefined when there is none. */
export function pickRidge(variants: readonly RidgeVariant[], h: number): RidgeVariant | undefined {
  const errors = variants.map(({ validationMse }) =>
    validationMse.subarray(0, h).reduce((sum, error) => sum + error, 0),
  );
  return variants[errors.indexOf(Math.min(...errors))];
}

/** What is asked, and which of it one map answers. */
function groupChannels({ allFeatures, window, each }: Plan, options: RidgeOptions, held: HeldValues) {
  const { scalers, targets, steps } = options;
  const channels = (allFeatures ? allChannels : ownChannels)({ held, scalers, window, targets, steps });
  return { channels, groups: each ? channels.map((channel) => [channel]) : [channels] };
}

/** D */
function inputsOf({ allFeatures, window }: Plan, { features }: Dataset): number {
  return allFeatures ? features.length * window : window - 1;
}

function fitVariant(plan: Plan, options: RidgeOptions, held: HeldValues): RidgeVariant | undefined {
  const { dataset, targets, steps, scalers } = options;
  const { name, window, allFeatures, each } = plan;
  const features = dataset.features.length;
  if (allFeatures && (features < 2 || features > maximumFeatures)) return undefined;
  const { channels, groups } = groupChannels(plan, options, held);
  if (groups.length > maximumMaps) return undefined;
  const inputs = inputsOf(plan, dataset);
  const fits = groups.flatMap((group) => fitGroup(group, inputs, options) ?? []);
  if (fits.length < groups.length) return undefined;

  const x = new Float64Array(inputs);
  const forecast = (series: number, origin: number, out: Float64Array) => {
    channels.forEach((channel, i) => {
      if (channel.series !== series) return;
      channel.writeInputs(origin, x);
      applyMap(fits[each ? i : 0].map, x, out.subarray(channel.targets[0] * steps));
      for (const m of channel.targets) {
        const newest = held[series][targets[m]][origin];
        const { scale } = scalers[series][targets[m]];
        for (let o = m * steps; o < (m + 1) * steps; o++) out[o] = newest + scale * out[o];
      }
    });
  };
  const validationMse = Float64Array.from({ length: steps }, (_, s) => meanSquare(fits, s, steps));
  return { name, allFeatures, window, maps: fits.map(({ map }) => map), validationMse, forecast };
}

/** out = bias + x weights */
function applyMap({ weights, bias }: LinearMap, x: Float64Array, out: Float64Array): void {
  const outputs = bias.length;
  out.set(bias);
  for (let i = 0; i < x.length; i++) {
    const value = x[i];
    for (let r = 0; r < outputs; r++) out[r] += value * weights[i * outputs + r];
  }
}

interface Fit {
  readonly map: LinearMap;
  /** [R], validation pairs that counted. */
  readonly pairs: Float64Array;
}

/** The mean squared error at step index `s`, over all maps and targets. */
function meanSquare(fits: readonly Fit[], s: number, steps: number): number {
  let squares = 0;
  let count = 0;
  for (const { map, pairs } of fits) {
    for (let r = s; r < pairs.length; r += steps) {
      squares += map.squares[r];
      count += pairs[r];
    }
  }
  return squares / count;
}

/** Fits one map on the windows of the group that lie inside the training part, λ chosen by those whose answers lie
 * inside the validation part; undefined with fewer windows than inputs, or without a pair to choose by. */
function fitGroup(group: readonly Channel[], inputs: number, options: RidgeOptions): Fit | undefined {
  const { dataset, steps } = options;
  const outputs = group[0].targets.length * steps;
  const train = emptyMoments(inputs, outputs);
  const validation = emptyMoments(inputs, outputs);
  for (const channel of group) {
    const series = dataset.series[channel.series];
    addMoments(train, channel.moments(trainingRange(series, channel, options)));
    addMoments(validation, channel.moments(validationRange(series, options)));
  }
  const uncounted = () => findUncounted(group, inputs, options);
  const pairs = new Float64Array(outputs).fill(validation.count);
  for (const window of uncounted()) {
    for (const r of window.outputs) pairs[r]--;
  }
  if (train.count < inputs || pairs.includes(0)) return undefined;
  return { map: fitLinear(train, validation, uncounted), pairs };
}

/** Newest rows of the windows that lie inside the training part, answers and all. */
function trainingRange(series: Series, { window }: Channel, { split, steps }: RidgeOptions): Range {
  const from = Math.max(0, split.start - series.firstSlot) + window - 1;
  return { from, to: Math.max(from, Math.min(series.length, split.trainEnd - series.firstSlot) - steps) };
}

/** Newest rows whose answers all lie inside the validation part. */
function validationRange({ firstSlot, length }: Series, { split, steps }: RidgeOptions): Range {
  const from = Math.max(0, split.trainEnd - firstSlot - 1);
  return { from, to: Math.max(from, Math.min(length, split.validationEnd - firstSlot - steps)) };
}

/** The windows with answers that do not count: a pair does when its target was really read, at the newest row and at
 * the step. Each is overwritten by the next. */
function* findUncounted(
  group: readonly Channel[],
  inputs: number,
  options: RidgeOptions,
): Generator<UncountedWindow> {
  const { dataset, targets, steps } = options;
  const features = dataset.features.length;
  const x = new Float64Array(inputs);
  const y = new Float64Array(group[0].targets.length * steps);
  for (const channel of group) {
    const series = dataset.series[channel.series];
    const isUnread = (row: number, m: number) =>
      row >= series.length || Number.isNaN(series.values[row * features + targets[m]]);
    const { from, to } = validationRange(series, options);
    for (let origin = from; origin < to; origin++) {
      const outputs: number[] = [];
      channel.targets.forEach((m, i) => {
        const isOriginUnread = isUnread(origin, m);
        for (let s = 1; s <= steps; s++) {
          if (isOriginUnread || isUnread(origin + s, m)) outputs.push(i * steps + s - 1);
        }
      });
      if (outputs.length === 0) continue;
      channel.writeInputs(origin, x);
      channel.writeAnswers(origin, y);
      yield { x, y, outputs };
    }
  }
}
