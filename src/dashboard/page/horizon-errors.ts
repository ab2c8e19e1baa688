import type { ErrorView, StreamDetail } from '../view.ts';
import { element, field, setAttribute, setChildren, setText, setValue } from './element.ts';
import { decimalsFor, formatCount, formatTo, gainOver } from './format.ts';

export interface HorizonErrors {
  show(errors: StreamDetail['errors'], label: (steps: number) => string): void;
}

/** The error of each horizon beside that of persistence, as numbers and as bars on one scale. */
export function createHorizonErrors(root: HTMLElement): HorizonErrors {
  const items = new Map<number, ReturnType<typeof createItem>>();
  return {
    show(errors, label) {
      const largest = Math.max(
        0,
        ...errors.flatMap(({ mae, persistenceMae }) => [mae ?? 0, persistenceMae ?? 0]),
      );
      const shown = errors.map((error) => {
        let item = items.get(error.steps);
        if (!item) {
          item = createItem(error.steps);
          items.set(error.steps, item);
        }
        item.show(error, label(error.steps), largest);
        return item.root;
      });
      setChildren(root, shown);
    },
  };
}

function createItem(steps: number) {
  const name = element('span', { class: 'errors-horizon' });
  const gain = field('gain', { class: 'gain' });
  const count = field('n', { class: 'errors-count' });
  const pair = createErrorPair();
  const head = element('p', { class: 'errors-head' }, [name, gain, count]);
  return {
    root: element('li', { 'data-steps': String(steps) }, [head, pair.root]),
    show(error: ErrorView, label: string, largest: number) {
      setText(name, label);
      setValue(count, `${formatCount(error.n)} scored`, error.n);
      showGain(gain, error);
      pair.show(error, largest);
    },
  };
}

/** The model's above persistence, each a bar and its number. */
export function createErrorPair() {
  const ours = createBar('mae', 'model');
  const theirs = createBar('persistence-mae', 'persistence');
  return {
    root: element('div', { class: 'bars' }, [...ours.parts, ...theirs.parts]),
    show({ mae, persistenceMae }: ErrorView, largest: number) {
      const decimals = decimalsFor([mae, persistenceMae]);
      ours.show(mae, largest, decimals);
      theirs.show(persistenceMae, largest, decimals);
    },
  };
}

function createBar(name: string, label: string) {
  const bar = element('span', { class: 'bar' });
  const value = field(name, { class: 'bar-value' });
  return {
    parts: [
      element('span', { class: 'bar-label' }, [label]),
      element('span', { class: `bar-track bar-${label}`, 'aria-hidden': 'true' }, [bar]),
      value,
    ],
    show(error: number | null, largest: number, decimals: number) {
      bar.style.inlineSize = `${largest > 0 && error !== null ? (error / largest) * 100 : 0}%`;
      setValue(value, formatTo(error, decimals), error);
    },
  };
}

export function showGain(node: Element, { mae, persistenceMae }: ErrorView): void {
  const gain = gainOver(mae, persistenceMae);
  setValue(node, gain?.text ?? '', gain?.share ?? null);
  setAttribute(node, 'data-kind', gain?.kind ?? 'none');
}
