export type Cell = string | number | undefined;

export interface TableOptions {
  /** Digits after the point of numbers that are not whole. */
  readonly digits?: number;
}

/** Columns for people: numbers to the right, words to the left, `-` where there is nothing. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  { digits = 3 }: TableOptions = {},
): string {
  const columns = header.map((title, j) => {
    const cells = rows.map((row) => row[j]);
    const texts = cells.map((cell) => formatCell(cell, digits));
    const width = Math.max(widthOf(title), ...texts.map(widthOf));
    const isText =
      cells.some((cell) => typeof cell === 'string') || cells.every((cell) => cell === undefined);
    const pad = (text: string) => {
      const space = ' '.repeat(width - widthOf(text));
      return isText ? text + space : space + text;
    };
    return { title: pad(title), rule: '-'.repeat(width), texts: texts.map(pad) };
  });
  const line = (cells: readonly string[]) => cells.join('  ').trimEnd();
  return [
    line(columns.map(({ title }) => title)),
    line(columns.map(({ rule }) => rule)),
    ...rows.map((_, i) => line(columns.map(({ texts }) => texts[i]))),
  ].join('\n');
}

function formatCell(cell: Cell, digits: number): string {
  if (cell === undefined || (typeof cell === 'number' && Number.isNaN(cell))) return '-';
  if (typeof cell === 'string') return cell;
  return Number.isInteger(cell) ? String(cell) : cell.toFixed(digits);
}

/** Letters, not UTF-16 units. */
function widthOf(text: string): number {
  return [...text].length;
}
