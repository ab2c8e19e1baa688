import type { StreamHealth } from '../view.ts';
import { element, setAttribute, setText } from './element.ts';

const svg = 'http://www.w3.org/2000/svg';
const circle = 'M6 1.75a4.25 4.25 0 1 1 0 8.5a4.25 4.25 0 0 1 0-8.5z';

interface Shape {
  readonly outline: string;
  readonly solid: string;
  readonly meaning: string;
}

/** Each health has a word and a shape of its own: color says nothing that they do not. */
const shapes: Readonly<Record<StreamHealth, Shape>> = {
  cold: { outline: circle, solid: '', meaning: 'Just begun: knows nothing of the past' },
  warming: {
    outline: circle,
    solid: 'M6 1.75v8.5a4.25 4.25 0 0 1 0-8.5z',
    meaning: 'Has seen some of the past that it needs',
  },
  warm: { outline: circle, solid: circle, meaning: 'Has seen all of the past that it needs' },
  stale: {
    outline: 'M6 1.5 11 10.25H1z',
    solid: '',
    meaning: 'Its newest reading is older than it should be',
  },
  silent: { outline: 'M2.5 2.5l7 7M9.5 2.5l-7 7', solid: '', meaning: 'Has gone quiet' },
};

export interface HealthMark {
  readonly root: HTMLElement;
  show(health: StreamHealth): void;
}

export function createHealthMark(): HealthMark {
  const outline = document.createElementNS(svg, 'path');
  const solid = document.createElementNS(svg, 'path');
  solid.setAttribute('class', 'solid');
  const drawing = document.createElementNS(svg, 'svg');
  drawing.setAttribute('viewBox', '0 0 12 12');
  drawing.setAttribute('aria-hidden', 'true');
  drawing.append(outline, solid);
  const word = element('span');
  const root = element('span', { class: 'health', 'data-field': 'health' }, [drawing, word]);
  return {
    root,
    show(health) {
      setAttribute(root, 'data-health', health);
      setAttribute(root, 'data-value', health);
      setAttribute(root, 'title', shapes[health].meaning);
      setAttribute(outline, 'd', shapes[health].outline);
      setAttribute(solid, 'd', shapes[health].solid);
      setText(word, health);
    },
  };
}
