import type { Model } from '../model/model.ts';
import type { ScoreSheet } from './score-sheet.ts';
import { formatTable } from './table.ts';

/** MAE and RMSE of everybody, over steps 1..h, in target units. */
export function scoreTable({ n, int8, float, baselines }: ScoreSheet, { layers }: Model): string {
  const isInteger = layers[0]?.inputWeights.kind === 'int8';
  const sheets = [
    [`model (${isInteger ? 'int8' : 'float32'})`, int8] as const,
    ...(isInteger && Object.keys(float).length > 0 ? [['model (float32)', float] as const] : []),
    ['ridge', baselines.ridge] as const,
    ['seasonal naive', baselines.seasonal] as const,
    ['persistence', baselines.persistence] as const,
  ];
  const horizons = Object.keys(n);
  const span = (h: string) => (h === '1' ? 'step 1' : `steps 1-${h}`);
  const header = ['', ...horizons.flatMap((h) => [`${span(h)}: MAE`, 'RMSE'])];
  const rows = sheets.map(([name, sheet]) => [
    name,
    ...horizons.flatMap((h) => [sheet[h]?.mae, sheet[h]?.rmse]),
  ]);
  const last = horizons.at(-1) ?? '';
  const { coverage80, winkler80, pinball } = int8[last] ?? {};
  const inside =
    coverage80 === undefined
      ? ''
      : `; ${(100 * coverage80).toFixed(1)} % inside the 80 % interval ` +
        `(Winkler ${winkler80?.toPrecision(4)}, pinball ${pinball?.toPrecision(4)})`;
  return `${formatTable(header, rows)}\n${n[last] ?? 0} origins for ${span(last)}${inside}`;
}
