/** Colors that stay apart for color-blind eyes (after Okabe and Ito); `text` is dark enough to read on white. */
export const palette = {
  ink: { line: '#1f2430', text: '#1f2430' },
  blue: { line: '#0072b2', text: '#00609a' },
  orange: { line: '#e69f00', text: '#946400' },
  green: { line: '#009e73', text: '#00775a' },
  gray: { line: '#8b919c', text: '#5f6673' },
  vermilion: { line: '#d55e00', text: '#b04d00' },
  sky: { line: '#56b4e9', text: '#2077ab' },
  pink: { line: '#cc79a7', text: '#9d4677' },
} as const;

export type Color = keyof typeof palette;

export const ink = {
  strong: '#1f2430',
  soft: '#5f6673',
  axis: '#9aa1ad',
  grid: '#e7e9ed',
  paper: '#ffffff',
} as const;

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element; numbers are rounded to a tenth of a pixel. Children are SVG already. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) => ` ${key}="${typeof value === 'number' ? round(value) : escapeText(String(value))}"`,
    )
    .join('');
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join('')}</${name}>`;
}

/** A text element of any text. */
export function label(text: string, attributes: Attributes): string {
  return element('text', attributes, escapeText(text));
}

export function escapeText(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  // XML allows no control characters, not even escaped
  return text.replace(/[&<>"]/g, (character) => entities[character]).replace(/\p{Cc}/gu, ' ');
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** A guess from above: no font is at hand, and a label that is cut is worse than one with air. */
export function textWidth(text: string, size: number): number {
  let ems = 0;
  for (const character of text) {
    if (/[\sil.,:;'|!()[\]fjtrI1]/.test(character)) ems += 0.42;
    else if (/[mwMW@%]/.test(character)) ems += 0.95;
    else ems += /[A-Z]/.test(character) ? 0.72 : 0.63;
  }
  return ems * size;
}
