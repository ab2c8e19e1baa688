import type { StreamDetail, StreamRow } from '../view.ts';
import { find, setAttribute, setText, setValue } from './element.ts';
import { formatNumber, formatWholeTime } from './format.ts';
import { createHealthMark } from './health.ts';

export interface DetailHeading {
  show(detail: StreamDetail, rows: readonly StreamRow[]): void;
}

/** The stream's name, and what it said last. */
export function createDetailHeading(): DetailHeading {
  const stream = find('detail-stream', HTMLElement);
  const target = find('detail-target', HTMLElement);
  const value = find('detail-value', HTMLElement);
  const time = find('detail-time', HTMLElement);
  const health = createHealthMark();
  find('detail-health', HTMLElement).append(health.root);
  return {
    show(detail, rows) {
      const row = rows.find((each) => each.stream === detail.stream);
      // without a live reading, the row has what the broker had kept
      const newest = detail.history.at(-1) ?? row;
      setText(stream, detail.stream);
      setAttribute(stream, 'title', detail.stream);
      setText(target, detail.target);
      setValue(value, formatNumber(newest?.value ?? null), newest?.value ?? null);
      setValue(time, newest ? formatWholeTime(newest.timeMs) : '', newest?.timeMs ?? null);
      health.show(detail.health);
    },
  };
}
