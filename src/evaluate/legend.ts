import { type Color, element, label, palette, textWidth } from './svg.ts';

/** A name for a line or an area. */
export interface Entry {
  readonly name: string;
  readonly color: Color;
  readonly shape: 'line' | 'dashes' | 'area';
  readonly strong: boolean;
  /** Where it ends. */
  readonly x: number;
  readonly y: number;
}

const size = 12.5;
const lineHeight = 17;
const swatch = 26;

export const dashes = '6 4';

/** The width that labels beside the plot take. */
export function labelsWidth(entries: readonly Entry[]): number {
  return 36 + Math.max(0, ...entries.map(({ name, strong }) => textWidth(name, size) * (strong ? 1.1 : 1)));
}

/** Names at the ends of their lines, moved apart where those are close, each with a thin line to its end. */
export function labelsAtEnds(
  entries: readonly Entry[],
  { right, top, bottom }: { right: number; top: number; bottom: number },
): string {
  const ordered = [...entries].sort((a, b) => a.y - b.y);
  const places = spread(
    ordered.map(({ y }) => y),
    { gap: lineHeight, min: top + 4, max: bottom - 4 },
  );
  return ordered
    .map(({ name, color, strong, x, y }, i) => {
      const { line, text } = palette[color];
      const end = right + 16;
      const leader = element('path', {
        d: `M${(x + 2).toFixed(1)},${y.toFixed(1)}L${(right + 5).toFixed(1)},${y.toFixed(1)}L${end.toFixed(1)},${places[i].toFixed(1)}`,
        fill: 'none',
        stroke: line,
        'stroke-width': 1,
        'stroke-opacity': 0.55,
      });
      const attributes = { x: end + 4, y: places[i] + 4.4, 'font-size': size, fill: text };
      return leader + label(name, { ...attributes, 'font-weight': strong ? 600 : undefined });
    })
    .join('');
}

/** Moves sorted positions as little as it takes to be `gap` apart and inside. */
export function spread(
  positions: readonly number[],
  { gap, min, max }: { gap: number; min: number; max: number },
): number[] {
  // neighbors that are too close form a group around their mean
  const groups: { start: number; members: number[] }[] = [];
  const settle = (members: number[]) => {
    const mean = members.reduce((sum, y, i) => sum + y - i * gap, 0) / members.length;
    const length = (members.length - 1) * gap;
    return { start: Math.max(min, Math.min(mean, max - length)), members };
  };
  for (const position of positions) {
    groups.push(settle([position]));
    while (groups.length > 1) {
      const [before, last] = groups.slice(-2);
      if (before.start + before.members.length * gap <= last.start) break;
      groups.splice(-2, 2, settle([...before.members, ...last.members]));
    }
  }
  return groups.flatMap(({ start, members }) => members.map((_, i) => start + i * gap));
}

/** Rows of swatches and names above the plot. */
export function legendRows(
  entries: readonly Entry[],
  { left, width, top }: { left: number; width: number; top: number },
): { readonly svg: string; readonly height: number } {
  let x = left;
  let row = 0;
  const parts = entries.map(({ name, color, shape, strong }) => {
    const taken = swatch + 6 + textWidth(name, size) + 12;
    if (x > left && x + taken > left + width) {
      x = left;
      row++;
    }
    const y = top + row * lineHeight + lineHeight / 2;
    const { line, text } = palette[color];
    const sign =
      shape === 'area'
        ? element('rect', { x, y: y - 5, width: swatch, height: 10, fill: line, 'fill-opacity': 0.22 })
        : element('path', {
            d: `M${x.toFixed(1)},${y.toFixed(1)}h${swatch}`,
            stroke: line,
            'stroke-width': strong ? 2.6 : 1.8,
            'stroke-dasharray': shape === 'dashes' ? dashes : undefined,
          });
    const attributes = { x: x + swatch + 6, y: y + 4.4, 'font-size': size, fill: text };
    x += taken;
    return sign + label(name, { ...attributes, 'font-weight': strong ? 600 : undefined });
  });
  return { svg: parts.join(''), height: entries.length === 0 ? 0 : (row + 1) * lineHeight };
}
