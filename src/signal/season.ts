/** What repeats shows at three multiples of its season; chance and smoothness do not. */
const multiples = 3;

/** Correlations of differences below this are of no use to a forecast, however sure they are. */
const leastCorrelation = 0.05;

/** A season's multiples correlate like itself: the shortest lag that comes this near the best is the season. */
const nearBest = 0.6;

/** A season by the clock that is this near the best is the season: noise moves a peak by a frame. */
const clockTolerance = 0.95;

/** From block to block: under the noise of single frames a day of minutes hides, its quarters of an hour show it. */
const coarser = 4;

/** Lags that are looked at in blocks of one size; longer ones are left to larger blocks. */
const mostLags = 336;

/** The season in frames: where the differences of the series, less their mean, correlate with themselves again and
 * again; 1 when they do not. First of single frames, then of means over 4, 16, ... frames. Read the training part
 * only. Basic operations in a fixed order: the season reaches the model's bytes.
 * @param series values on the time grid, NaN where missing; their seasons are taken to be one
 * @param maxLag the longest season looked for
 * @param clock seasons that are likelier than their neighbors: a day, a week */
export function findSeason(
  series: readonly ArrayLike<number>[],
  maxLag: number,
  clock: readonly number[] = [],
): number {
  for (let block = 1; block <= maxLag / coarser; block *= coarser) {
    const means = block === 1 ? series : series.map((values) => blockMeans(values, block));
    const lag = findRepetition(means, Math.min(mostLags, Math.floor(maxLag / block)));
    if (lag > 1) return block === 1 ? lag : refine(series, lag, block, clock);
  }
  return 1;
}

/** The shortest lag whose multiples stand out; 1 when none does. */
function findRepetition(series: readonly ArrayLike<number>[], maxLag: number): number {
  const differences = series.map((values) => standardDifferences(values, 1));
  const longest = Math.max(0, ...differences.map(({ length }) => length));
  const correlations = autocorrelate(differences, Math.min(longest - 1, multiples * (maxLag + 1)));
  const count = differences.reduce((sum, { length }) => sum + length, 0);
  // five standard errors of a correlation that is 0
  const threshold = Math.max(leastCorrelation, 5 / Math.sqrt(count));

  // a season's multiples tell it from its neighbors: 3 * 25 is far from 3 * 24
  const strengths = Float64Array.from({ length: maxLag + 2 }, (_, lag) => meanOfMultiples(correlations, lag));
  const seasons: number[] = [];
  let best = 0;
  for (let lag = 2; lag <= maxLag; lag++) {
    const strength = strengths[lag];
    const isPeak = strength >= strengths[lag - 1] && strength >= strengths[lag + 1];
    if (!isPeak || leastOfMultiples(correlations, lag) <= threshold) continue;
    if (meanBetween(correlations, lag) > nearBest * strength) continue;
    seasons.push(lag);
    best = Math.max(best, strength);
  }
  return seasons.find((lag) => strengths[lag] >= nearBest * best) ?? 1;
}

/** The season of `lag` blocks to the frame: where differences over a block correlate best, or nearly so by the clock. */
function refine(
  series: readonly ArrayLike<number>[],
  lag: number,
  block: number,
  clock: readonly number[],
): number {
  const differences = series.map((values) => standardDifferences(runningMeans(values, block), block));
  const first = (lag - 1) * block;
  const strengths = Float64Array.from({ length: 2 * block + 1 }, (_, i) => {
    let sum = 0;
    for (let n = 1; n <= multiples; n++) sum += correlationAt(differences, n * (first + i));
    return sum;
  });
  const best = Math.max(...strengths);
  const likely = clock.find((season) => strengths[season - first] >= clockTolerance * best);
  return likely ?? first + strengths.indexOf(best);
}

/** 0 for a lag whose multiples lie beyond the correlations. */
function meanOfMultiples(correlations: Float64Array, lag: number): number {
  let sum = 0;
  for (let n = 1; n <= multiples; n++) sum += correlations[n * lag] ?? Number.NaN;
  return Number.isNaN(sum) ? 0 : sum / multiples;
}

/** Between the multiples: a slow wave correlates there as well. Not at half a lag, where noise correlates with itself. */
function meanBetween(correlations: Float64Array, lag: number): number {
  return (correlations[Math.floor(1.5 * lag)] + correlations[Math.floor(2.5 * lag)]) / 2;
}

function leastOfMultiples(correlations: Float64Array, lag: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let n = 1; n <= multiples; n++) least = Math.min(least, correlations[n * lag] ?? 0);
  return least;
}

/** The mean of each `block` values that are there. */
function blockMeans(values: ArrayLike<number>, block: number): Float64Array {
  return Float64Array.from({ length: Math.floor(values.length / block) }, (_, i) =>
    meanOf(values, i * block, (i + 1) * block),
  );
}

/** The mean of the last `block` values, at each of them. */
function runningMeans(values: ArrayLike<number>, block: number): Float64Array {
  return Float64Array.from(values, (_, t) => meanOf(values, Math.max(0, t - block + 1), t + 1));
}

function meanOf(values: ArrayLike<number>, from: number, to: number): number {
  let sum = 0;
  let count = 0;
  for (let t = from; t < to; t++) {
    if (Number.isNaN(values[t])) continue;
    sum += values[t];
    count++;
  }
  return count === 0 ? Number.NaN : sum / count;
}

/** x[t] - x[t - distance] less its mean (a meter only rises), 0 where either is missing, divided by its root mean
 * square, so that every series weighs the same. */
function standardDifferences(values: ArrayLike<number>, distance: number): Float64Array {
  const differences = new Float64Array(Math.max(0, values.length - distance)).fill(Number.NaN);
  let count = 0;
  let mean = 0;
  for (let t = 0; t < differences.length; t++) {
    const difference = values[t + distance] - values[t];
    if (Number.isNaN(difference)) continue;
    differences[t] = difference;
    count++;
    mean += (difference - mean) / count;
  }
  let squares = 0;
  for (const difference of differences) {
    if (!Number.isNaN(difference)) squares += (difference - mean) * (difference - mean);
  }
  // what rises by the same every time has no differences but those of rounding
  if (!(squares > 1e-12 * count * mean * mean)) return new Float64Array(0);
  const scale = Math.sqrt(squares / count);
  return differences.map((difference) => (Number.isNaN(difference) ? 0 : (difference - mean) / scale));
}

function autocorrelate(series: readonly Float64Array[], maxLag: number): Float64Array {
  return Float64Array.from({ length: Math.max(0, maxLag + 1) }, (_, lag) => correlationAt(series, lag));
}

function correlationAt(series: readonly Float64Array[], lag: number): number {
  let sum = 0;
  let count = 0;
  for (const differences of series) {
    for (let t = lag; t < differences.length; t++) sum += differences[t] * differences[t - lag];
    count += Math.max(0, differences.length - lag);
  }
  return count === 0 ? 0 : sum / count;
}
