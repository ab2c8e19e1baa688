import type { Metrics } from '../evaluate/score.ts';
import { formatTable } from './table.ts';

/** The scores of a part by forecaster, each by horizon. */
export interface ScoreSheet {
  readonly n: Readonly<Record<string, number>>;
  readonly int8: Readonly<Record<string, Metrics>>;
  readonly float?: Readonly<Record<string, Metrics>>;
  readonly baselines: Readonly<
    Record<'persistence' | 'seasonal' | 'ridge', Readonly<Record<string, Metrics>>>
  >;
}

/** MAE and RMSE of everybody, over steps 1..h, in target units. */
export function scoreTable({ n, int8, float, baselines }: ScoreSheet): string {
  const sheets: [string, Readonly<Record<string, Metrics>>][] = [
    ['model (int8)', int8],
    ...(float ? [['model (float)', float] as [string, Readonly<Record<string, Metrics>>]] : []),
    ['ridge', baselines.ridge],
    ['seasonal naive', baselines.seasonal],
    ['persistence', baselines.persistence],
  ];
  const horizons = Object.keys(n);
  const span = (h: string) => (h === '1' ? 'step 1' : `steps 1-${h}`);
  const header = ['', ...horizons.flatMap((h) => [`${span(h)}: MAE`, 'RMSE'])];
  const rows = sheets.map(([name, sheet]) => [
    name,
    ...horizons.flatMap((h) => [sheet[h]?.mae, sheet[h]?.rmse]),
  ]);
  const last = horizons.at(-1) ?? '';
  const coverage = int8[last]?.coverage80;
  const inside = coverage === undefined ? '' : `; ${(100 * coverage).toFixed(1)} % inside the 80 % interval`;
  return `${formatTable(header, rows)}\n${n[last] ?? 0} origins for ${span(last)}${inside}`;
}
