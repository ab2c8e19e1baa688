/** The shortest text that gives the same double; -0 keeps its sign. */
export function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
