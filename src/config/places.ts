/** In a flow map, `{ topic: plant/{stream}/telemetry }`, YAML takes the inner braces for another map. For its parser they
 * are other characters, as many, so that every position stays. */
export function hidePlaces(text: string): string {
  return text.replace(/\{(stream|feature)\}/g, '\u2983$1\u2984');
}

/** The parsed value, its places with braces again. */
export function showPlaces(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/\u2983(stream|feature)\u2984/g, '{$1}');
  if (Array.isArray(value)) return value.map(showPlaces);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, showPlaces(inner)]));
}
