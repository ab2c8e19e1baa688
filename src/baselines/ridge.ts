import type { Dataset, Series, Split } from '../data/dataset.ts';
import { type HeldValues, holdAll } from '../data/held.ts';
import type { Scaler } from '../signal/scaler.ts';
import type { Forecaster, ForecastTask } from './forecaster.ts';
import { fitLinear, type LinearMap, type UncountedWindow } from './linear.ts';
import { sumMoments } from './moments.ts';
import { allChannels, type Channel, ownChannels } from './windows.ts';

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
  const held = holdAll(options.dataset, options.scalers);
  return plans.flatMap((plan) => fitVariant(plan, options, held) ?? []);
}

/** The variant with the least validation error over steps 1..h; undefined when there is none. */
export function pickRidge(variants: readonly RidgeVariant[], h: number): RidgeVariant | undefined {
  const errors = variants.map(({ validationMse }) =>
    validationMse.subarray(0, h).reduce((sum, error) => sum + error, 0),
  );
  return variants[errors.indexOf(Math.min(...errors))];
}

function fitVariant(plan: Plan, options: RidgeOptions, held: HeldValues): RidgeVariant | undefined {
  const { dataset, targets, steps, scalers } = options;
  const { name, window, allFeatures, each } = plan;
  const features = dataset.features.length;
  if (allFeatures && (features < 2 || features > maximumFeatures)) return undefined;
  const channels = (allFeatures ? allChannels : ownChannels)({ held, scalers, window, targets, steps });
  const groups = each ? channels.map((channel) => [channel]) : [channels];
  if (groups.length > maximumMaps) return undefined;
  const fits = groups.map((group) => fitGroup(group, options, window));
  const maps = fits.flatMap((fit) => fit?.map ?? []);
  if (maps.length < groups.length) return undefined;

  const inputs = allFeatures ? features * window : window - 1;
  const x = new Float64Array(inputs);
  const forecast = (series: number, origin: number, out: Float64Array) => {
    channels.forEach((channel, i) => {
      if (channel.series !== series) return;
      channel.writeInputs(origin, x);
      const { weights, bias } = maps[each ? i : 0];
      const [first] = channel.targets;
      applyMap(weights, bias, x, out.subarray(first * steps));
      for (const m of channel.targets) {
        const newest = held[series][targets[m]][origin];
        const { scale } = scalers[series][targets[m]];
        for (let o = m * steps; o < (m + 1) * steps; o++) out[o] = newest + scale * out[o];
      }
    });
  };
  const validationMse = Float64Array.from({ length: steps }, (_, s) => {
    let squares = 0;
    let pairs = 0;
    for (const fit of fits) {
      if (!fit) continue;
      for (let r = s; r < fit.pairs.length; r += steps) {
        squares += fit.map.squares[r];
        pairs += fit.pairs[r];
      }
    }
    return squares / pairs;
  });
  return { name, allFeatures, window, maps, validationMse, forecast };
}

/** out = bias + x weights */
function applyMap(weights: Float64Array, bias: Float64Array, x: Float64Array, out: Float64Array): void {
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

/** Fits one map on the windows of the group that lie inside the training part, λ chosen by those whose answers lie
 * inside the validation part; undefined with fewer windows than inputs, or without a pair to choose by. */
function fitGroup(group: readonly Channel[], options: RidgeOptions, window: number): Fit | undefined {
  const { dataset, split, steps } = options;
  const seriesOf = (channel: Channel) => dataset.series[channel.series];
  const train = sumMoments(
    group.map((channel) => {
      const { firstSlot, length } = seriesOf(channel);
      const from = Math.max(0, split.start - firstSlot) + window - 1;
      return channel.moments(from, Math.max(from, Math.min(length, split.trainEnd - firstSlot) - steps));
    }),
  );
  if (train.count < train.inputs) return undefined;
  const ranges = group.map((channel) => validationRange(seriesOf(channel), split, steps));
  const validation = sumMoments(group.map((channel, i) => channel.moments(ranges[i].from, ranges[i].to)));
  function* uncounted(): Generator<UncountedWindow> {
    for (const [i, channel] of group.entries()) yield* findUncounted(channel, ranges[i], options, train.inputs);
  }
  const pairs = new Float64Array(train.outputs).fill(validation.count);
  for (const { outputs } of uncounted()) {
    for (const r of outputs) pairs[r]--;
  }
  if (pairs.includes(0)) return undefined;
  return { map: fitLinear(train, validation, uncounted), pairs };
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Newest rows whose answers all lie inside the validation part. */
function validationRange({ firstSlot, length }: Series, { trainEnd, validationEnd }: Split, steps: number): Range {
  const from = Math.max(0, trainEnd - firstSlot - 1);
  return { from, to: Math.max(from, Math.min(length, validationEnd - firstSlot - steps)) };
}

/** The windows with answers that do not count: a pair does when its target was really read, at the newest row and at
 * the step. Each is overwritten by the next. */
function* findUncounted(
  channel: Channel,
  { from, to }: Range,
  { dataset, targets, steps }: RidgeOptions,
  inputs: number,
): Generator<UncountedWindow> {
  const { values, length } = dataset.series[channel.series];
  const features = dataset.features.length;
  const isUnread = (row: number, m: number) => row >= length || Number.isNaN(values[row * features + targets[m]]);
  const x = new Float64Array(inputs);
  const y = new Float64Array(channel.targets.length * steps);
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
