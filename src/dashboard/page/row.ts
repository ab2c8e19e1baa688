import type { PointView, StreamRow } from '../view.ts';
import { element, field, setAttribute, setText, setValue } from './element.ts';
import { decimalsFor, formatInterval, formatNumber, formatTime, formatTo, isoOf, missing } from './format.ts';
import { createHealthMark } from './health.ts';
import { showGain } from './horizon-errors.ts';

export interface Row {
  readonly root: HTMLTableRowElement;
  show(row: StreamRow, isSelected: boolean): void;
}

export interface HorizonLabel {
  readonly steps: number;
  readonly label: string;
}

/** One stream's row: its name is a button, the rest of it answers to the mouse too. */
export function createRow(
  stream: string,
  horizons: readonly HorizonLabel[],
  onSelect: (stream: string) => void,
): Row {
  const button = element('button', { type: 'button', class: 'stream-name', title: stream }, [stream]);
  const time = element('time', { 'data-field': 'time' });
  const value = field('value');
  const kept = element('span', { class: 'kept', title: 'What the broker had kept; no live reading yet' }, [
    'retained',
  ]);
  const [mae, persistenceMae, gain] = [
    field('mae'),
    field('persistence-mae'),
    field('gain', { class: 'gain' }),
  ];
  const health = createHealthMark();
  const points = horizons.map(({ steps }) => createPoint(steps));
  const root = element('tr', { role: 'row', 'data-stream': stream }, [
    element('th', { scope: 'row', role: 'rowheader' }, [button]),
    cell('Newest', 'time', time),
    cell('Value', 'value', value, kept),
    ...points.map((point, index) => cell(`+${horizons[index].label}`, 'point', point.value, point.interval)),
    cell('Error', 'mae', mae),
    cell('Persistence', 'persistence', persistenceMae),
    cell('Gain', 'gain', gain),
    cell('Health', 'health', health.root),
  ]);
  root.addEventListener('click', ({ target }) => {
    // whoever marks text of the row to copy it does not choose
    if (target === button || getSelection()?.isCollapsed !== false) onSelect(stream);
  });
  return {
    root,
    show(row, isSelected) {
      const decimals = decimalsFor([row.value, ...row.forecast.map((point) => point.value)]);
      setValue(time, formatTime(row.timeMs), row.timeMs);
      setAttribute(time, 'datetime', isoOf(row.timeMs));
      setValue(value, formatTo(row.value, decimals), row.value);
      kept.hidden = !row.retained;
      for (const [index, point] of points.entries()) point.show(row.forecast[index], decimals);
      setValue(mae, formatNumber(row.mae), row.mae);
      setValue(persistenceMae, formatNumber(row.persistenceMae), row.persistenceMae);
      showGain(gain, row);
      if (gain.textContent === '') setText(gain, missing);
      health.show(row.health);
      if (isSelected) setAttribute(button, 'aria-current', 'true');
      else button.removeAttribute('aria-current');
      root.classList.toggle('selected', isSelected);
    },
  };
}

function createPoint(steps: number) {
  const value = field('forecast', { 'data-steps': String(steps) });
  const interval = element('small', { 'data-field': 'interval', 'data-steps': String(steps) });
  return {
    value,
    interval,
    show(point: PointView | undefined, decimals: number) {
      setValue(value, formatTo(point?.value ?? null, decimals), point?.value ?? null);
      setText(interval, point ? formatInterval(point.low, point.high, decimals) : '');
      setAttribute(interval, 'data-low', String(point?.low ?? null));
      setAttribute(interval, 'data-high', String(point?.high ?? null));
    },
  };
}

/** The label is for phones, where the table's head gives way. */
function cell(label: string, kind: string, ...children: HTMLElement[]): HTMLTableCellElement {
  return element('td', { role: 'cell', class: `cell-${kind}`, 'data-label': label }, children);
}
