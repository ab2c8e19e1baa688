import type { StreamDetail } from '../view.ts';
import { createChart } from './chart.ts';
import { type ChartData, chartData } from './chart-data.ts';
import { find, setAttribute } from './element.ts';
import { createLegend } from './legend.ts';
import { describePoint } from './sentence.ts';

export interface ChartPanel {
  /** `horizon.index` is the place of its steps in the model's horizons. */
  show(
    detail: StreamDetail,
    horizon: { readonly index: number; readonly steps: number; readonly label: string },
  ): void;
}

/** The chart, its legend, and the cursor that both share. */
export function createChartPanel(): ChartPanel {
  const root = find('chart', HTMLElement);
  const figure = find('chart-figure', HTMLElement);
  const empty = find('chart-empty', HTMLElement);
  const legend = createLegend(find('legend', HTMLElement));
  let shown: { data: ChartData; horizon: { steps: number; label: string } } | null = null;
  let cursor: number | null = null;

  const showLegend = () => {
    if (shown) legend.show(shown.data, cursor, shown.horizon);
  };
  const chart = createChart(root, (index) => {
    cursor = index;
    showLegend();
  });
  steerByKeys(root, {
    size: () => shown?.data.times.length ?? 0,
    start: () => cursor ?? shown?.data.now ?? 0,
    move(index) {
      chart.point(index);
      if (!shown || index === null) return;
      setAttribute(root, 'aria-valuenow', String(index));
      setAttribute(root, 'aria-valuetext', describePoint(shown.data, index));
    },
  });
  return {
    show(detail, horizon) {
      const data = chartData(detail, horizon.index, historyLength(detail, figure.clientWidth));
      shown = { data, horizon };
      empty.hidden = data.times.length > 0;
      root.hidden = !empty.hidden;
      chart.show(JSON.stringify([detail.stream, detail.target]), data);
      setAttribute(root, 'aria-valuemax', String(Math.max(0, data.times.length - 1)));
      showLegend();
    },
  };
}

/** So much of the past that the future is still large enough to be read. */
function historyLength({ fan }: StreamDetail, width: number): number {
  return Math.max(48, fan.length * (width < 600 ? 2 : 4));
}

interface Steered {
  readonly size: () => number;
  readonly start: () => number;
  readonly move: (index: number | null) => void;
}

/** Arrows move the cursor over the times, as a mouse does. */
function steerByKeys(root: HTMLElement, { size, start, move }: Steered): void {
  root.addEventListener('keydown', (event) => {
    const last = size() - 1;
    const strides: Readonly<Record<string, number>> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      PageDown: -24,
      PageUp: 24,
      Home: -last,
      End: last,
    };
    const stride = strides[event.key];
    if (event.key === 'Escape') move(null);
    if (stride === undefined || last < 0) return;
    event.preventDefault();
    move(Math.min(last, Math.max(0, start() + stride)));
  });
  root.addEventListener('blur', () => move(null));
}
