import { styleText } from 'node:util';
import type { StreamRow } from '../dashboard/view.ts';
import { formatDuration } from '../signal/duration.ts';
import { formatTime } from '../signal/times.ts';
import type { DemoSnapshot } from './demo-snapshot.ts';

const dash = '–';
const hourMs = 3_600_000;

type Style = Parameters<typeof styleText>[0];

interface Column {
  readonly title: string;
  readonly cells: readonly string[];
  /** The style of a row's cell. */
  readonly style?: (row: number) => Style | undefined;
}

export interface TableOptions {
  /** Columns of the terminal; what does not fit is left out from the right. */
  readonly width: number;
  readonly color: boolean;
}

/** The demo as lines of text. */
export function renderDemo(snapshot: DemoSnapshot, { width, color }: TableOptions): string[] {
  const paint = (style: Style, text: string) =>
    color ? styleText(style, text, { validateStream: false }) : text;
  const { model, broker } = snapshot.overview;
  const head = [
    [`page      `, `${snapshot.url} (Ctrl+C ends it)`],
    [
      `model     `,
      `${model.name} ${model.version}, ${model.kind}, on ${snapshot.rows.length} sensors over mqtt://${broker.address}`,
    ],
    [`replay    `, describeReplay(snapshot)],
    [`speed     `, describeSpeed(snapshot)],
  ].map(([label, text]) => {
    const room = Math.max(0, width - label.length - 2);
    return `${paint('bold', label)}  ${paint('dim', text.slice(0, room))}`;
  });
  return [
    ...head,
    '',
    ...renderColumns(columnsOf(snapshot), width, paint),
    '',
    summarize(snapshot).slice(0, width),
  ];
}

/** One line on how good the forecasts were so far. */
export function summarize({ overview }: DemoSnapshot): string {
  const { model, error } = overview;
  const ahead = model.horizons.map((step) => formatAhead(step, model.periodMs)).join(', ');
  const { mae, persistenceMae } = error;
  if (mae === null || persistenceMae === null)
    return `${model.targets[0]} ${ahead}: no target has arrived yet`;
  return (
    `${model.targets[0]} ${ahead}: mean absolute error ${mae.toFixed(2)}, ` +
    `repeating the newest value ${persistenceMae.toFixed(2)} (${formatGain(mae, persistenceMae)})`
  );
}

export function describeReplay({ ticks, allTicks, messages, forecasts }: DemoSnapshot): string {
  const done = Math.floor((20 * ticks) / Math.max(1, allTicks));
  const bar = '█'.repeat(done) + '░'.repeat(20 - done);
  return `${bar} ${ticks} of ${allTicks} frames, ${messages} messages, ${forecasts} forecasts`;
}

export function describeSpeed({ overview, roundTripMs }: DemoSnapshot): string {
  const { messagesPerSecond, stepUs } = overview;
  return (
    `${messagesPerSecond.toFixed(0)} msg/s, step ${formatValue(stepUs.p50)} µs p50, ${formatValue(stepUs.p99)} p99, ` +
    `round trip ${formatValue(roundTripMs.p50, 2)} ms p50, ${formatValue(roundTripMs.p99, 2)} p99`
  );
}

function columnsOf({ rows, overview }: DemoSnapshot): Column[] {
  const { targets, horizons, periodMs } = overview.model;
  const gain = ({ mae, persistenceMae }: StreamRow) =>
    formatGain(mae ?? Number.NaN, persistenceMae ?? Number.NaN);
  const isBetter = ({ mae, persistenceMae }: StreamRow) =>
    mae !== null && persistenceMae !== null && mae < persistenceMae;
  return [
    { title: 'sensor', cells: rows.map(({ stream }) => stream), style: () => 'bold' },
    { title: 'time (UTC)', cells: rows.map(({ timeMs }) => formatMoment(timeMs)), style: () => 'dim' },
    { title: targets[0], cells: rows.map(({ value }) => formatValue(value)) },
    ...horizons.map(
      (step, h): Column => ({
        title: formatAhead(step, periodMs),
        cells: rows.map(({ forecast }) => formatValue(forecast[h]?.value)),
        style: () => 'cyan',
      }),
    ),
    {
      title: 'MAE',
      cells: rows.map(({ mae }) => formatValue(mae, 2)),
      style: (row) => (isBetter(rows[row]) ? 'green' : undefined),
    },
    { title: 'persistence', cells: rows.map(({ persistenceMae }) => formatValue(persistenceMae, 2)) },
    { title: 'gain', cells: rows.map(gain) },
    { title: 'health', cells: rows.map(({ health }) => health) },
  ];
}

function renderColumns(
  columns: readonly Column[],
  width: number,
  paint: (style: Style, text: string) => string,
): string[] {
  const lines = ['', ...columns[0].cells.map(() => '')];
  let used = 0;
  columns.forEach(({ title, cells, style }, index) => {
    const wide = Math.max(title.length, ...cells.map((cell) => cell.length)) + (index === 0 ? 0 : 2);
    used += wide;
    if (used > width) return;
    const pad = (text: string) => (index === 0 ? text.padEnd(wide) : text.padStart(wide));
    lines[0] += paint('dim', pad(title));
    cells.forEach((cell, row) => {
      const chosen = style?.(row);
      lines[row + 1] += chosen ? paint(chosen, pad(cell)) : pad(cell);
    });
  });
  return lines;
}

function formatAhead(step: number, periodMs: number): string {
  const aheadMs = step * periodMs;
  return `+${aheadMs % hourMs === 0 ? `${aheadMs / hourMs}h` : formatDuration(aheadMs)}`;
}

/** 10-27 17:00 */
function formatMoment(timeMs: number): string {
  return Number.isNaN(timeMs) ? dash : formatTime(timeMs).slice(5, 16).replace('T', ' ');
}

function formatValue(value: number | null | undefined, digits = 1): string {
  return value === undefined || value === null ? dash : value.toFixed(digits);
}

function formatGain(mae: number, persistenceMae: number): string {
  const gain = Math.round(100 * (mae / persistenceMae - 1));
  if (!Number.isFinite(gain)) return dash;
  return gain > 0 ? `+${gain} %` : `${gain} %`.replace('-', '−');
}
