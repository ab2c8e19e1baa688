/** What this page looks at. It stands in the address, so that a link shows the same. */
export interface Choice {
  /** Empty for the first one. */
  readonly stream: string;
  readonly filter: string;
  readonly target: number;
  /** Steps ahead whose past forecasts the chart shows; 0 for the middle one. */
  readonly horizon: number;
}

export function readChoice(search: string): Choice {
  const given = new URLSearchParams(search);
  return {
    stream: given.get('stream') ?? '',
    filter: given.get('filter') ?? '',
    target: wholeNumber(given.get('target')),
    horizon: wholeNumber(given.get('horizon')),
  };
}

/** The address of a choice; empty for what everybody sees first. */
export function writeChoice(choice: Choice): string {
  const said = Object.entries(choice)
    .filter(([, value]) => value !== '' && value !== 0)
    .map(([name, value]) => [name, String(value)]);
  return said.length === 0 ? '' : `?${new URLSearchParams(said)}`;
}

/** What the server has to know of it. */
export function queryOf({ stream, filter, target }: Choice): string {
  return writeChoice({ stream, filter, target, horizon: 0 });
}

/** Index in the model's horizons of the chosen one. */
export function horizonIndex(horizons: readonly number[], steps: number): number {
  const index = horizons.indexOf(steps);
  return index >= 0 ? index : Math.floor(Math.max(0, horizons.length - 1) / 2);
}

function wholeNumber(text: string | null): number {
  return text !== null && /^\d{1,4}$/.test(text) ? Number(text) : 0;
}
