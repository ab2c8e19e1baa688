import { DataError } from './data-error.ts';
import type { Dataset, Part, Split } from './dataset.ts';

const parts: readonly Part[] = ['train', 'validation', 'test'];

/** The slots [from, to) of a part. */
export function partRange(split: Split, part: Part): { readonly from: number; readonly to: number } {
  const borders = [split.start, split.trainEnd, split.validationEnd, split.end];
  const index = parts.indexOf(part);
  return { from: borders[index], to: borders[index + 1] };
}

/** Cuts time, the same for all streams: by fractions of the slots, or by counts of slots.
 * @param shares train, validation and test: [0.6, 0.2, 0.2] or [8640, 2880, 2880] */
export function splitByTime({ series }: Dataset, shares: readonly number[]): Split {
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
  checkParts(series, split, asText);
  return split;
}

function checkParts(series: Dataset['series'], split: Split, asText: string): void {
  for (const part of parts) {
    const { from, to } = partRange(split, part);
    const hasRow = series.some(({ firstSlot, length, present }) => {
      const first = Math.max(0, from - firstSlot);
      return first < Math.min(length, to - firstSlot) && present.subarray(first, to - firstSlot).includes(1);
    });
    if (!hasRow)
      throw new DataError(`${asText} leaves no row to the ${part} part; give it a larger share or more data`);
  }
}

/** Refuses what no scaler or loss can work with: a feature that never changes, a target that is never read. */
export function checkTrainable(
  dataset: Dataset,
  split: Split,
  { targets, perStream = false }: { targets: readonly number[]; perStream?: boolean },
): void {
  const { features, series } = dataset;
  const groups = perStream ? series.map((one) => [one]) : [series];
  for (const group of groups) {
    features.forEach((feature, k) => {
      const place = perStream ? `'${feature}' of stream '${group[0].stream}'` : `'${feature}'`;
      const { count, isConstant } = surveyFeature(group, split, k, features.length);
      if (count === 0 && targets.includes(k)) {
        throw new DataError(
          `target ${place} has only gaps in the training part; choose another target or split`,
        );
      }
      if (count === 0 || isConstant) {
        const found = count === 0 ? 'has only gaps' : 'never changes';
        throw new DataError(`feature ${place} ${found} in the training part; leave it out of features`);
      }
    });
  }
}

function surveyFeature(group: Dataset['series'], split: Split, feature: number, features: number) {
  let count = 0;
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const { firstSlot, length, values } of group) {
    const to = Math.min(length, split.trainEnd - firstSlot);
    for (let row = Math.max(0, split.start - firstSlot); row < to; row++) {
      const value = values[row * features + feature];
      if (Number.isNaN(value)) continue;
      count++;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
  }
  return { count, isConstant: least === most };
}
