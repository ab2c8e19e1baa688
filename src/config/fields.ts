import { z } from 'zod';

// Every message below is what was expected, in words: problems.ts puts the place and what was found before it.

export function wholeNumber(min: number, max: number, expected = `a whole number from ${min} to ${max}`) {
  return z.int(expected).min(min, expected).max(max, expected);
}

export interface Range {
  readonly min: number;
  readonly max: number;
  /** Which end is not itself allowed. */
  readonly open?: 'min' | 'max' | 'both';
}

export function numberIn({ min, max, open }: Range) {
  const openMin = open === 'min' || open === 'both';
  const openMax = open === 'max' || open === 'both';
  const expected = `a number ${openMin ? `above ${min}` : `from ${min}`} ${openMax ? `to below ${max}` : `to ${max}`}`;
  const number = z.number(expected);
  const bounded = openMin ? number.gt(min, expected) : number.min(min, expected);
  return openMax ? bounded.lt(max, expected) : bounded.max(max, expected);
}

export function choice<const Values extends readonly string[]>(values: Values) {
  return z.enum(values, { error: `${values.slice(0, -1).join(', ')} or ${values.at(-1)}` });
}

export function text(expected: string) {
  return z.string(expected).min(1, expected);
}
