import type { Drift } from './drift.ts';

/** Layers of 12 bits, and the error that they leave. */
interface Widened {
  /** [layer] */
  readonly wideLayers: readonly boolean[];
  readonly drift: Drift;
}

/** One more wide layer: the one whose 8 bits cost the outputs most.
 * @returns undefined when all are wide */
export function widenWorst({ wideLayers, drift }: Widened): boolean[] | undefined {
  if (!wideLayers.includes(false)) return undefined;
  const costs = drift.layers.map(({ alone }, l) => (wideLayers[l] ? Number.NEGATIVE_INFINITY : alone));
  const worst = costs.indexOf(Math.max(...costs));
  return wideLayers.map((isWide, l) => isWide || l === worst);
}
