import { readFile, writeFile } from 'node:fs/promises';
import { arch, availableParallelism, cpus, platform } from 'node:os';
import type { Measure } from './rounds.ts';

const file = new URL('RESULTS.md', import.meta.url);
const TITLE = '# Results';

/** Puts a bench's section into bench/RESULTS.md, in the place of its last one. */
export async function writeSection(heading: string, lines: readonly string[]): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => `${TITLE}\n\n`);
  const section = [`## ${heading}`, '', ...lines, '', ''].join('\n');
  const sections = text.split(/^(?=## )/m);
  const at = sections.findIndex((one) => one.startsWith(`## ${heading}\n`));
  if (at < 0) sections.push(section);
  else sections[at] = section;
  await writeFile(file, `${sections.map((one) => one.trimEnd()).join('\n\n')}\n`);
}

/** A Markdown table; what is missing is a dash. */
export function tableOf(
  header: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
): string[] {
  const line = (cells: readonly (string | number | undefined)[]) =>
    `| ${cells.map((cell) => cell ?? '-').join(' | ')} |`;
  return [line(header), line(header.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)];
}

export function measureTable(measures: readonly Measure[]): string[] {
  const rows = measures.map(({ name, ours, peer, ratio, must, aim, lowerIsBetter }) => {
    const sign = lowerIsBetter ? '≤' : '≥';
    return [name, ours, peer, ratio, `${sign} ${must}`, aim === undefined ? undefined : `${sign} ${aim}`];
  });
  return tableOf(['what', 'ours', 'peer', 'ratio', 'must', 'aim'], rows);
}

/** What the figures were measured on. */
export const machine = (): string =>
  `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, ${platform()} ${arch()}, Node ${process.version.slice(1)}`;
