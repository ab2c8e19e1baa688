import type { CardData, CardFile } from './card-data.ts';
import { renderPlots } from './card-plots.ts';
import { renderReadme } from './card-readme.ts';

/** Every file that a card may have. */
export const cardFiles = [
  'README.md',
  ...['horizons.svg', 'forecast.svg', 'fan.svg', 'quantization.svg', 'loss.svg'],
] as const;

/** The files of a model card: README.md and its plots. The same bytes for the same data: no clock, host or path. */
export function renderCard(data: CardData): CardFile[] {
  const plots = renderPlots(data);
  const files = plots.map(({ file }) => file);
  return [{ file: 'README.md', text: renderReadme(data, files) }, ...plots];
}
