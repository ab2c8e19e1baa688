import type UPlot from 'uplot';
import { calmRange, type Range } from './calm-range.ts';
import { type ChartData, lonelyPoints } from './chart-data.ts';
import { type Drawn, drawAhead, drawNowLine, drawNowMark, timeLabels, valueLabels } from './chart-drawing.ts';
import { watchPalette } from './theme.ts';

// /uplot.js brings it, as a script of its own
declare const uPlot: typeof UPlot;

export interface LiveChart {
  /** Another `subject` (stream, target) starts with an axis of its own. */
  show(subject: string, data: ChartData): void;
  /** Puts the cursor on a time, or away. */
  point(index: number | null): void;
}

const nothing: ChartData = { times: [], measured: [], earlier: [], ahead: [], low: [], high: [], now: -1 };
const dashes = [5, 4];

/** One plot for the page's whole life: new data, sizes and themes go into it. */
export function createChart(container: HTMLElement, onCursor: (index: number | null) => void): LiveChart {
  let shown = { subject: '', data: nothing };
  let range: Range | null = null;
  const palette = watchPalette(() => plot.redraw(false, true));
  const drawn: Drawn = { palette, data: () => shown.data };
  const valueRange: UPlot.Range.Function = (_, min, max) => {
    if (min === null || max === null) return [0, 1];
    range = calmRange(range, min, max);
    return [range.min, range.max];
  };
  const plot: UPlot = new uPlot(
    {
      ...sizeOf(container),
      ...lookOf(drawn),
      scales: { x: { range: (_, min, max) => [min, max] }, y: { range: valueRange } },
      hooks: {
        drawClear: [(self) => drawAhead(self, drawn)],
        drawAxes: [(self) => drawNowLine(self, drawn)],
        draw: [(self) => drawNowMark(self, drawn)],
        setCursor: [({ cursor }) => onCursor(cursor.idx ?? null)],
      },
    },
    columnsOf(nothing),
    container,
  );
  new ResizeObserver(() => plot.setSize(sizeOf(container))).observe(container);
  return {
    show(subject, data) {
      if (subject !== shown.subject) range = null;
      shown = { subject, data };
      plot.setData(columnsOf(data));
    },
    point(index) {
      const left = index === null ? -10 : plot.valToPos(shown.data.times[index], 'x');
      plot.setCursor({ left, top: index === null ? -10 : 0 });
    },
  };
}

function columnsOf({ times, measured, earlier, ahead, low, high }: ChartData): UPlot.AlignedData {
  return [times, high, low, earlier, measured, ahead];
}

function sizeOf({ clientWidth, clientHeight }: HTMLElement): { width: number; height: number } {
  return { width: Math.max(clientWidth, 100), height: Math.max(clientHeight, 100) };
}

type Look = Pick<
  UPlot.Options,
  'padding' | 'legend' | 'cursor' | 'tzDate' | 'series' | 'bands' | 'axes' | 'pxAlign'
>;

function lookOf({ palette }: Drawn): Look {
  const axis = { stroke: () => palette().muted, font: `12px ${palette().fontFamily}` };
  const grid = { stroke: () => palette().line, width: 1 };
  const points: UPlot.Series.Points = {
    size: 4,
    show: true,
    filter: (self, series) => lonelyPoints([...(self.data[series] as (number | null)[])]),
  };
  const edge: UPlot.Series = { stroke: 'transparent', width: 0, points: { show: false } };
  return {
    padding: [20, 22, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), 'Etc/UTC'),
    series: [
      {},
      edge,
      edge,
      { stroke: () => palette().accent, width: 1.25, dash: dashes, points },
      { stroke: () => palette().ink, width: 1.75, points },
      { stroke: () => palette().accent, width: 2.25, points },
    ],
    bands: [{ series: [1, 2], fill: () => palette().band }],
    axes: [
      {
        ...axis,
        space: 72,
        size: 30,
        grid: { show: false },
        ticks: { ...grid, size: 5 },
        values: (_, splits) => timeLabels(splits),
      },
      {
        ...axis,
        space: 44,
        size: (_, labels) => 20 + 7 * Math.max(2, ...(labels ?? []).map((label) => label.length)),
        gap: 8,
        grid,
        ticks: { show: false },
        values: (_, splits, __, ___, increment) => valueLabels(splits, increment),
      },
    ],
  };
}
