import { fitScaler, largestMean, largestScale } from '../signal/scaler.ts';
import { formatTime } from '../signal/times.ts';
import { DataError } from './data-error.ts';
import type { Dataset, Part, Series, Split } from './dataset.ts';
import { trainingValues } from './scalers.ts';

const parts: readonly Part[] = ['train', 'validation', 'test'];
const dayMs = 86_400_000;

/** The slots [from, to) of a part. */
export function partRange(split: Split, part: Part): { readonly from: number; readonly to: number } {
  const borders = [split.start, split.trainEnd, split.validationEnd, split.end];
  const index = parts.indexOf(part);
  return { from: borders[index], to: borders[index + 1] };
}

/** Cuts time, the same for all streams: by fractions of the slots, or by counts of slots.
 * @param shares train, validation and test: [0.6, 0.2, 0.2] or [8640, 2880, 2880]
 * @param warn takes one line when counts leave most of the data unused */
export function splitByTime(
  dataset: Dataset,
  shares: readonly number[],
  warn?: (message: string) => void,
): Split {
  const { series } = dataset;
  const start = Math.min(...series.map(({ firstSlot }) => firstSlot));
  const total = Math.max(...series.map(({ firstSlot, length }) => firstSlot + length)) - start;
  const [train, validation, test] = shares;
  const sum = train + validation + test;
  const asText = `split [${shares.join(', ')}]`;
  if (shares.length !== 3 || !shares.every((share) => share > 0)) {
    throw new DataError(`${asText}: expected three numbers above 0 for train, validation and test`);
  }
  // room for the rounding of sums such as 0.7 + 0.1
  const tolerance = 1e-9;
  const isFractions = sum <= 1 + tolerance;
  if (!isFractions && !shares.every(Number.isInteger)) {
    throw new DataError(`${asText}: expected fractions that add up to at most 1, or whole numbers of slots`);
  }
  if (!isFractions && sum > total) {
    throw new DataError(
      `${asText} takes ${sum} slots, the data has ${total}; use fractions or smaller counts`,
    );
  }
  const border = (share: number) => start + (isFractions ? Math.floor(total * share + tolerance) : share);
  const split = {
    start,
    trainEnd: border(train),
    validationEnd: border(train + validation),
    end: border(sum),
  };
  checkParts(dataset, split, asText);
  if (!isFractions && sum < total / 2) {
    warn?.(`${asText} takes ${sum} of ${total} slots; the later ones stay unused, fractions would take all`);
  }
  return split;
}

function checkParts(dataset: Dataset, split: Split, asText: string): void {
  for (const part of parts) {
    const { from, to } = partRange(split, part);
    const hasRow = dataset.series.some(({ firstSlot, length, present }) => {
      const first = Math.max(0, from - firstSlot);
      return first < Math.min(length, to - firstSlot) && present.subarray(first, to - firstSlot).includes(1);
    });
    if (hasRow) continue;
    const fix = describeGap(dataset, from, to) ?? 'give it a larger share or more data';
    throw new DataError(`${asText} leaves no row to the ${part} part; ${fix}`);
  }
}

/** The gap that holds all of the empty slots [from, to): often it ends at a time stamp that is wrong.
 * @returns undefined when the slots are none, or the last of the data */
function describeGap({ series, periodMs }: Dataset, from: number, to: number): string | undefined {
  let before = Number.NEGATIVE_INFINITY;
  let after = Number.POSITIVE_INFINITY;
  for (const { firstSlot, present } of series) {
    const last = present.subarray(0, Math.max(0, from - firstSlot)).lastIndexOf(1);
    if (last >= 0) before = Math.max(before, firstSlot + last);
    const next = present.indexOf(1, Math.max(0, to - firstSlot));
    if (next >= 0) after = Math.min(after, firstSlot + next);
  }
  if (from === to || before === Number.NEGATIVE_INFINITY || after === Number.POSITIVE_INFINITY)
    return undefined;
  const [first, last] = [before, after].map((slot) => formatTime(slot * periodMs));
  return (
    `it lies in a gap from ${first} to ${last} (${(((after - before) * periodMs) / dayMs).toFixed(1)} days); ` +
    'if one of these times is wrong, correct it or leave its rows out'
  );
}

/** Refuses what no scaler or loss can work with: a feature that never changes, a target that is never read, values
 * that no model file can hold the scale of. */
export function checkTrainable(
  dataset: Dataset,
  split: Split,
  { targets, perStream = false }: { targets: readonly number[]; perStream?: boolean },
): void {
  const { features, series } = dataset;
  features.forEach((feature, k) => {
    const fault = (group: readonly Series[]) => findFault(group, split, k, features.length);
    if (perStream) {
      for (const one of series) {
        const found = fault([one]);
        if (found) throw new DataError(`channel '${one.stream}' ${found}; ${fixChannel(one, series)}`);
      }
    }
    const found = fault(series);
    if (found === undefined) return;
    // a stream without a channel of its own is scaled like all of them together
    if (perStream) throw new DataError(`all channels together: ${found}; take the largest out of target`);
    const isTarget = targets.includes(k);
    const fix = isTarget ? 'choose another target or split' : 'leave it out of features';
    throw new DataError(`${isTarget ? 'target' : 'feature'} '${feature}' ${found}; ${fix}`);
  });
}

/** Whether a network could look at a feature. */
export function isTrainable({ features, series }: Dataset, split: Split, feature: number): boolean {
  return findFault(series, split, feature, features.length) === undefined;
}

/** What makes the values useless, as the rest of a sentence. */
function findFault(
  group: readonly Series[],
  split: Split,
  feature: number,
  features: number,
): string | undefined {
  const { mean, scale } = fitScaler(trainingValues(group, split, { feature, features }));
  if (Number.isNaN(mean)) return 'has only gaps in the training part';
  if (!(scale > 0)) return 'never changes in the training part';
  if (Math.abs(mean) <= largestMean && scale <= largestScale) return undefined;
  return (
    `has mean ${mean.toPrecision(3)} and standard deviation ${scale.toPrecision(3)} in the training part, ` +
    `expected at most ${largestMean} and ${largestScale.toExponential()} (correct wrong values, or take a larger unit)`
  );
}

/** Channels are the targets of all streams: a recipe can leave out a target, the data a stream. */
function fixChannel({ stream, channel }: Series, series: readonly Series[]): string {
  if (channel === undefined) return `leave '${stream}' out`;
  const leaveOut = `take ${channel.feature} out of target`;
  const hasOthers = series.some((other) => other.channel?.stream !== channel.stream);
  return hasOthers
    ? `${leaveOut}, or leave the rows of stream '${channel.stream}' out of the data`
    : leaveOut;
}
