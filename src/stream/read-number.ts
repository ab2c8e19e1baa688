import { addValue, type Decoder, decodeText, gather, unreadable } from './payload.ts';

export interface NumberOptions {
  /** The names of the features, in the model's order, for topics that name one. */
  readonly names: readonly string[];
  /** The feature of topics that name none. */
  readonly feature?: string | undefined;
}

/** More than this is no number that a sensor writes. */
const longestNumber = 64;
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** Reads a payload that is a number and nothing else, `39.0`, or `null` for a missing one, at the time of its arrival. */
export function numberDecoder({ names, feature: fixed }: NumberOptions): Decoder {
  return ({ payload, feature = fixed, arrivedMs }) => {
    const index = feature === undefined ? -1 : names.indexOf(feature);
    if (index === -1) return unreadable('no feature');
    if (payload.length > longestNumber) return unreadable('not a number');
    const text = decodeText(payload);
    if (text === undefined) return unreadable('not UTF-8');
    const gathering = gather(arrivedMs);
    addValue(gathering, index, readText(text.trim()));
    return gathering;
  };
}

function readText(text: string): unknown {
  if (text === 'null') return null;
  return decimal.test(text) ? Number(text) : text;
}
