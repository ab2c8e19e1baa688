/** The colors of the canvas, which no style sheet reaches. */
export interface Palette {
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly surface: string;
  readonly accent: string;
  readonly band: string;
  readonly ahead: string;
  readonly fontFamily: string;
}

const switches = ['(prefers-color-scheme: dark)', '(prefers-contrast: more)', '(forced-colors: active)'];

/** Reads the palette from the style sheet, again whenever the system's theme changes. */
export function watchPalette(onChange: () => void): () => Palette {
  let palette = readPalette();
  const change = () => {
    palette = readPalette();
    onChange();
  };
  for (const query of switches) matchMedia(query).addEventListener('change', change);
  return () => palette;
}

function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: color('ink'),
    muted: color('muted'),
    line: color('line'),
    surface: color('surface'),
    accent: color('accent'),
    band: color('band'),
    ahead: color('ahead'),
    fontFamily: getComputedStyle(document.body).fontFamily,
  };
}
