import type { BaselineScores } from '../evaluate/baselines.ts';
import type { Metrics, Score } from '../evaluate/score.ts';

/** Errors over steps 1..h, by h. */
type ByHorizon = Readonly<Record<string, Metrics>>;

/** Everybody's errors on the same pairs, as `--json` and the model file have them; {} where there is none. */
export interface ScoreSheet {
  /** Origins. */
  readonly n: Readonly<Record<string, number>>;
  /** The served model. */
  readonly int8: ByHorizon;
  readonly float: ByHorizon;
  readonly baselines: Readonly<Record<'persistence' | 'seasonal' | 'ridge', ByHorizon>>;
}

export interface SheetScores {
  readonly int8: Score;
  readonly float?: Score | undefined;
  readonly baselines: BaselineScores;
}

/** The sheet of all streams together, or of one of them. */
export function sheetOf({ int8, float, baselines }: SheetScores, stream?: string): ScoreSheet {
  const { persistence, seasonal, ridge } = baselines;
  const part = (score: Partial<Score> | undefined) =>
    stream === undefined ? score : score?.streams?.[stream];
  const horizons = (score: Partial<Score> | undefined) => part(score)?.horizons ?? {};
  return {
    n: part(int8)?.n ?? {},
    int8: horizons(int8),
    float: horizons(float),
    baselines: {
      persistence: horizons(persistence),
      seasonal: horizons(seasonal),
      ridge: horizons(ridge),
    },
  };
}
