/** What repeats shows at three multiples of its season; chance and smoothness do not. */
const multiples = 3;

/** Correlations of differences below this are of no use to a forecast, however sure they are. */
const leastCorrelation = 0.05;

/** A season's multiples correlate like itself: the shortest lag that comes this near the best is the season. */
const nearBest = 0.6;

/** The season in frames: where the first differences of the series correlate with themselves again and again; 1 when
 * they do not. Read the training part only. Basic operations in a fixed order: the season reaches the model's bytes.
 * @param series values on the time grid, NaN where missing; their seasons are taken to be one
 * @param maxLag the longest season looked for */
export function findSeason(series: readonly ArrayLike<number>[], maxLag: number): number {
  const differences = series.map(standardDifferences);
  const longest = Math.max(0, ...differences.map(({ length }) => length));
  const correlations = autocorrelate(differences, Math.min(longest - 1, multiples * (maxLag + 1)));
  const count = differences.reduce((sum, { length }) => sum + length, 0);
  // five standard errors of a correlation that is 0
  const threshold = Math.max(leastCorrelation, 5 / Math.sqrt(count));

  // a season's multiples tell it from its neighbours: 3 * 25 is far from 3 * 24
  const strengths = Float64Array.from({ length: maxLag + 2 }, (_, lag) => meanOfMultiples(correlations, lag));
  const seasons: number[] = [];
  let best = 0;
  for (let lag = 2; lag <= maxLag; lag++) {
    const strength = strengths[lag];
    const isPeak = strength >= strengths[lag - 1] && strength >= strengths[lag + 1];
    if (!isPeak || leastOfMultiples(correlations, lag) <= threshold) continue;
    seasons.push(lag);
    best = Math.max(best, strength);
  }
  return seasons.find((lag) => strengths[lag] >= nearBest * best) ?? 1;
}

/** 0 for a lag whose multiples lie beyond the correlations. */
function meanOfMultiples(correlations: Float64Array, lag: number): number {
  let sum = 0;
  for (let n = 1; n <= multiples; n++) sum += correlations[n * lag] ?? Number.NaN;
  return Number.isNaN(sum) ? 0 : sum / multiples;
}

function leastOfMultiples(correlations: Float64Array, lag: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let n = 1; n <= multiples; n++) least = Math.min(least, correlations[n * lag] ?? 0);
  return least;
}

/** x[t] - x[t-1], 0 where either is missing, divided by their root mean square, so that every series weighs the same. */
function standardDifferences(values: ArrayLike<number>): Float64Array {
  const differences = new Float64Array(Math.max(0, values.length - 1));
  let count = 0;
  let squares = 0;
  for (let t = 1; t < values.length; t++) {
    const difference = values[t] - values[t - 1];
    if (Number.isNaN(difference)) continue;
    differences[t - 1] = difference;
    count++;
    squares += difference * difference;
  }
  if (squares === 0) return new Float64Array(0);
  const scale = Math.sqrt(squares / count);
  return differences.map((difference) => difference / scale);
}

function autocorrelate(series: readonly Float64Array[], maxLag: number): Float64Array {
  return Float64Array.from({ length: Math.max(0, maxLag + 1) }, (_, lag) => {
    let sum = 0;
    let count = 0;
    for (const differences of series) {
      for (let t = lag; t < differences.length; t++) sum += differences[t] * differences[t - lag];
      count += Math.max(0, differences.length - lag);
    }
    return sum / count;
  });
}
