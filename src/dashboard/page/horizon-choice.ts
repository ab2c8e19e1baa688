import { element, setChildren } from './element.ts';

export interface HorizonChoice {
  show(horizons: readonly { readonly steps: number; readonly label: string }[], steps: number): void;
}

/** One radio button for each horizon, made anew only for another model. */
export function createHorizonChoice(root: HTMLElement, onChoose: (steps: number) => void): HorizonChoice {
  let made = '';
  return {
    show(horizons, steps) {
      const key = JSON.stringify(horizons);
      if (key !== made)
        setChildren(
          root,
          horizons.map((horizon) => createOption(horizon, onChoose)),
        );
      made = key;
      for (const input of root.querySelectorAll('input')) input.checked = input.value === String(steps);
    },
  };
}

function createOption({ steps, label }: { steps: number; label: string }, onChoose: (steps: number) => void) {
  const input = element('input', { type: 'radio', name: 'horizon', value: String(steps) });
  input.addEventListener('change', () => onChoose(steps));
  return element('label', {}, [input, element('span', {}, [label])]);
}
