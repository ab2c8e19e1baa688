import { styleText } from 'node:util';
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
  const head = [
    [`cellstream`, `${snapshot.model}, on ${snapshot.streams.length} sensors over MQTT`],
    [`broker    `, snapshot.url],
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
export function summarize({ mae, persistenceMae, target, horizons, periodMs }: DemoSnapshot): string {
  const ahead = horizons.map((step) => formatAhead(step, periodMs)).join(', ');
  if (Number.isNaN(mae)) return `${target} ${ahead}: no target has arrived yet`;
  return (
    `${target} ${ahead}: mean absolute error ${mae.toFixed(2)}, ` +
    `repeating the newest value ${persistenceMae.toFixed(2)} (${formatGain(mae, persistenceMae)})`
  );
}

export function describeReplay({ ticks, allTicks, messages, forecasts }: DemoSnapshot): string {
  const done = Math.floor((20 * ticks) / Math.max(1, allTicks));
  const bar = '█'.repeat(done) + '░'.repeat(20 - done);
  return `${bar} ${ticks} of ${allTicks} frames, ${messages} messages, ${forecasts} forecasts`;
}

export function describeSpeed({
  rate,
  stepUsP50,
  stepUsP99,
  latencyMsP50,
  latencyMsP99,
}: DemoSnapshot): string {
  return (
    `${rate.toFixed(0)} msg/s, step ${stepUsP50.toFixed(1)} µs p50, ${stepUsP99.toFixed(1)} p99, ` +
    `latency ${latencyMsP50.toFixed(2)} ms p50, ${latencyMsP99.toFixed(2)} p99`
  );
}

function columnsOf({ streams, target, horizons, periodMs }: DemoSnapshot): Column[] {
  return [
    { title: 'sensor', cells: streams.map(({ stream }) => stream), style: () => 'bold' },
    { title: 'time (UTC)', cells: streams.map(({ timeMs }) => formatMoment(timeMs)), style: () => 'dim' },
    { title: target, cells: streams.map(({ value }) => formatValue(value)) },
    ...horizons.map(
      (step): Column => ({
        title: formatAhead(step, periodMs),
        cells: streams.map(({ ahead }) => formatValue(ahead.get(step))),
        style: () => 'cyan',
      }),
    ),
    {
      title: 'MAE',
      cells: streams.map(({ mae }) => formatValue(mae, 2)),
      style: (row) => (streams[row].mae < streams[row].persistenceMae ? 'green' : undefined),
    },
    { title: 'persistence', cells: streams.map(({ persistenceMae }) => formatValue(persistenceMae, 2)) },
    { title: 'gain', cells: streams.map(({ mae, persistenceMae }) => formatGain(mae, persistenceMae)) },
    { title: 'messages', cells: streams.map(({ messages }) => String(messages)) },
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

function formatValue(value: number | undefined, digits = 1): string {
  return value === undefined || Number.isNaN(value) ? dash : value.toFixed(digits);
}

function formatGain(mae: number, persistenceMae: number): string {
  const gain = Math.round(100 * (mae / persistenceMae - 1));
  if (!Number.isFinite(gain)) return dash;
  return gain > 0 ? `+${gain} %` : `${gain} %`.replace('-', '−');
}
