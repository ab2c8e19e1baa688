import { createPersistence } from '../baselines/persistence.ts';
import { fitRidge, pickRidge, type RidgeName, type RidgeVariant } from '../baselines/ridge.ts';
import { createSeasonal } from '../baselines/seasonal.ts';
import { holdAll } from '../data/held.ts';
import type { Scaler } from '../signal/scaler.ts';
import { backtest } from './backtest.ts';
import { residualQuantiles } from './residual-quantiles.ts';
import type { Score, ScoreOptions, StreamScore } from './score.ts';

/** A score, or {} where the baseline is not defined. */
type MaybeScore = Score | Record<string, never>;

export interface BaselineScores {
  readonly persistence: Score;
  /** {} without a season. Its intervals are of its own residuals on validation. */
  readonly seasonal: MaybeScore;
  /** At each h the variant with the least validation error over steps 1..h; {} with too little training data. */
  readonly ridge: MaybeScore;
  readonly ridgeVariants: Partial<Record<RidgeName, Score>>;
}

export interface BaselineOptions extends ScoreOptions {
  /** In frames; 1: none. */
  readonly season: number;
  /** [series][feature] */
  readonly scalers: readonly (readonly Scaler[])[];
  /** Ridge fitted before on the same training part; fitted here when absent. */
  readonly ridge?: readonly RidgeVariant[] | undefined;
}

/** Every baseline on exactly the same pairs. */
export function scoreBaselines(options: BaselineOptions): BaselineScores {
  const { dataset, scalers, season, horizons, levels } = options;
  const held = holdAll(dataset, scalers);
  const variants = options.ridge ?? fitRidge(options);
  const scoreSeasonal = () => {
    const seasonal = createSeasonal(held, options);
    return backtest(
      seasonal,
      options,
      levels?.length ? residualQuantiles(seasonal, options, levels) : undefined,
    );
  };
  const scores = variants.map((variant) => [variant.name, backtest(variant, options)] as const);
  const ridgeVariants: Partial<Record<RidgeName, Score>> = Object.fromEntries(scores);
  return {
    persistence: backtest(createPersistence(held, options), options),
    seasonal: season > 1 ? scoreSeasonal() : {},
    ridge: scorePick(variants, ridgeVariants, horizons),
    ridgeVariants,
  };
}

/** Takes each h from the score of the variant that is picked for it. */
function scorePick(
  variants: readonly RidgeVariant[],
  scores: Partial<Record<RidgeName, Score>>,
  horizons: readonly number[],
): MaybeScore {
  const picks = horizons.flatMap((h) => {
    const pick = pickRidge(variants, h);
    const score = pick && scores[pick.name];
    return score ? [{ h, score }] : [];
  });
  if (picks.length === 0) return {};
  const choose = (part: (score: Score) => StreamScore | undefined): StreamScore => {
    const chosen: StreamScore = { n: {}, horizons: {}, at: {} };
    for (const { h, score } of picks) {
      const from = part(score);
      if (!from) continue;
      chosen.n[h] = from.n[h];
      if (from.horizons[h]) chosen.horizons[h] = from.horizons[h];
      if (from.at[h]) chosen.at[h] = from.at[h];
    }
    return chosen;
  };
  const names = Object.keys(picks[0].score.streams);
  const streams = Object.fromEntries(names.map((name) => [name, choose((score) => score.streams[name])]));
  return { ...choose((score) => score), streams };
}
