import { element, field, find, setChildren, setText, setValue } from './element.ts';
import { formatCount } from './format.ts';

type Counts = Readonly<Record<string, number>>;

export interface Readings {
  show(readings: Counts, malformed: Counts): void;
}

/** Where the readings ended: a line, and behind it each ending and reason. */
export function createReadings(): Readings {
  const summary = find('readings-summary', HTMLElement);
  const endings = createCounts('reading', find('reading-endings', HTMLElement));
  const reasons = createCounts('malformed', find('malformed-reasons', HTMLElement));
  const noReason = find('malformed-none', HTMLElement);
  return {
    show(readings, malformed) {
      const bad = sum(malformed);
      setText(
        summary,
        `${formatCount(sum(readings))} readings, ${bad === 0 ? 'none' : formatCount(bad)} malformed`,
      );
      endings.show(readings);
      reasons.show(malformed);
      noReason.hidden = bad > 0;
    },
  };
}

function createCounts(name: string, root: HTMLElement) {
  const items = new Map<string, { readonly root: HTMLElement; readonly value: HTMLElement }>();
  return {
    show(counts: Counts) {
      const shown = Object.entries(counts).map(([key, count]) => {
        let item = items.get(key);
        if (!item) {
          const value = field(name, { 'data-key': key });
          item = { value, root: element('div', {}, [element('dt', {}, [key]), element('dd', {}, [value])]) };
          items.set(key, item);
        }
        setValue(item.value, formatCount(count), count);
        return item.root;
      });
      setChildren(root, shown);
    },
  };
}

function sum(counts: Counts): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
