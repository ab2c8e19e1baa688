/** How a missing value follows the season: alpha and beta of
 * x[t] = (x[t-1] + alpha * (x[t-S] - x[t-1-S])) + beta * (x[t-1-S] - x[t-1]).
 * alpha takes last season's course, beta draws the value towards it; 0 and 0 hold. With both in 0..1 a gap of any length
 * stays bounded: the characteristic z^S (z-1+beta) = alpha (z-1) + beta has no root outside the unit circle, for
 * |z| >= 1 gives |z-1+beta| >= beta and so |alpha (z-1) + beta| <= |z-1+beta|. The root z = 1 is double for alpha = 1 with
 * beta = 0 alone: the rise of a season again and again, a line that float32 stops far from infinity. */
export interface FillWeights {
  readonly alpha: number;
  readonly beta: number;
}

const hold: FillWeights = { alpha: 0, beta: 0 };

/** Gaps that a fill is tried on have 1 to this many values, and begin this many frames apart. */
const longestTrial = 6;
const trialSpacing = 11;
/** A fill must take this share of holding's squared error away: less is chance. */
const leastGain = 0.02;

/** The weights that fill best the next value on the training part of one feature, by least squares; 0 and 0 where short
 * gaps are filled as well by holding. Basic operations in a fixed order: the weights reach the model's bytes.
 * @param series z-scores on the time grid, NaN where missing */
export function fitFill(series: readonly ArrayLike<number>[], season: number): FillWeights {
  if (season <= 1) return hold;
  const fitted = fitSteps(series, season);
  const held = fillError(series, season, hold);
  return fillError(series, season, fitted) < (1 - leastGain) * held ? fitted : hold;
}

/** Least squares of x[t] - x[t-1] on both terms, over the steps whose four values were read; beta is the best for the
 * alpha that is left after clipping. */
function fitSteps(series: readonly ArrayLike<number>[], season: number): FillWeights {
  let [cc, ce, ee, cs, es] = [0, 0, 0, 0, 0];
  for (const x of series) {
    for (let t = season + 1; t < x.length; t++) {
      const step = x[t] - x[t - 1];
      const course = x[t - season] - x[t - 1 - season];
      const error = x[t - 1 - season] - x[t - 1];
      if (Number.isNaN(step + course + error)) continue;
      cc += course * course;
      ce += course * error;
      ee += error * error;
      cs += course * step;
      es += error * step;
    }
  }
  if (!(cc > 0)) return hold;
  const determinant = cc * ee - ce * ce;
  // a feature that repeats itself exactly has no error to learn from
  if (!(determinant > 0)) return { alpha: toWeight(cs / cc), beta: 0 };
  const alpha = toWeight((cs * ee - es * ce) / determinant);
  return { alpha, beta: toWeight((es - alpha * ce) / ee) };
}

/** Within 0..1, as float32. */
function toWeight(value: number): number {
  return Math.fround(Math.max(0, Math.min(1, value)));
}

/** Squared error over gaps of 1 to 6 values, cut where the value before was read; each ends where the season before was
 * not, and counts what was read. */
function fillError(
  series: readonly ArrayLike<number>[],
  season: number,
  { alpha, beta }: FillWeights,
): number {
  const longest = Math.min(longestTrial, season);
  let squares = 0;
  for (const x of series) {
    let trial = 0;
    for (let from = season + 1; from < x.length; from += trialSpacing) {
      const to = Math.min(x.length, from + 1 + (trial++ % longest));
      let value = x[from - 1];
      for (let t = from; t < to; t++) {
        const before = x[t - 1 - season];
        value += alpha * (x[t - season] - before) + beta * (before - value);
        if (Number.isNaN(value)) break;
        if (!Number.isNaN(x[t])) squares += (x[t] - value) * (x[t] - value);
      }
    }
  }
  return squares;
}
