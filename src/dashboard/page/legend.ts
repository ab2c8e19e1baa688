import type { ChartData } from './chart-data.ts';
import { element, field, setText, setValue } from './element.ts';
import { decimalsFor, formatInterval, formatTime, formatTo, missing } from './format.ts';

export interface Legend {
  /** The values at `index`; without one, the newest and what is forecast `steps` ahead. */
  show(
    data: ChartData,
    index: number | null,
    horizon: { readonly steps: number; readonly label: string },
  ): void;
}

/** What the lines are, and their values under the cursor. */
export function createLegend(root: HTMLElement): Legend {
  const time = field('legend-time');
  const measured = createItem('measured', 'measured');
  const earlier = createItem('earlier', 'legend-earlier');
  const ahead = createItem('ahead', 'forecast');
  const interval = createItem('interval', '80 % interval');
  root.append(
    element('li', { class: 'legend-time' }, [time]),
    measured.root,
    earlier.root,
    ahead.root,
    interval.root,
  );
  return {
    show(data, index, { steps, label }) {
      const at = index ?? data.now;
      const next = index ?? data.now + steps;
      const low = data.low[next] ?? null;
      const high = data.high[next] ?? null;
      const values = [
        data.measured[at] ?? null,
        data.earlier[at] ?? null,
        data.ahead[next] ?? null,
        low,
        high,
      ];
      const decimals = decimalsFor(values);
      const isAhead = next > data.now;
      const timeMs = (data.times[at] ?? Number.NaN) * 1_000;
      setValue(time, at >= 0 ? `${formatTime(timeMs)}` : missing, at >= 0 ? timeMs : null);
      measured.show('measured', formatTo(values[0], decimals), values[0]);
      earlier.show(`forecast ${label} earlier`, formatTo(values[1], decimals), values[1]);
      const point = isAhead ? values[2] : null;
      ahead.show(
        index === null ? `forecast for ${label} ahead` : 'forecast',
        formatTo(point, decimals),
        point,
      );
      interval.show(
        '80 % interval',
        (isAhead && formatInterval(low, high, decimals)) || missing,
        isAhead ? low : null,
      );
    },
  };
}

function createItem(kind: string, name: string) {
  const label = element('span', { class: 'legend-label' }, [name]);
  const value = field(`legend-${kind}`, { class: 'legend-value' });
  const swatch = element('span', { class: `swatch swatch-${kind}`, 'aria-hidden': 'true' });
  return {
    root: element('li', { class: `legend-${kind}` }, [swatch, label, ' ', value]),
    show(text: string, shown: string, raw: number | null) {
      setText(label, text);
      setValue(value, shown, raw);
    },
  };
}
