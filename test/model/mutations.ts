import { cellstream } from '#proto/model.js';
import { readModelFile } from '../../src/model/format.ts';
import type { Dice } from '../fixtures/random-model.ts';
import { concat, seal, varint } from './edits.ts';

/** Damages a copy of some bytes of a model; `other` are those of another. */
type Mutation = (bytes: Uint8Array, dice: Dice, other: Uint8Array) => Uint8Array;

const noise = (length: number, dice: Dice) => Uint8Array.from({ length }, () => dice.int(0, 255));

/** Replaces `length` bytes from `at` on. */
const splice = (file: Uint8Array, at: number, length: number, by: Uint8Array) =>
  concat(file.subarray(0, at), by, file.subarray(Math.min(file.length, at + length)));

interface LengthField {
  readonly at: number;
  /** Of the varint. */
  readonly size: number;
  readonly value: number;
}

/** Every length of a field, found by taking each field for a message as long as that works. */
function findLengths(file: Uint8Array, from = 0, to = file.length): LengthField[] | undefined {
  const found: LengthField[] = [];
  let at = from;
  const readVarint = () => {
    let value = 0;
    for (let shift = 1; at < to; shift *= 128) {
      const byte = file[at++];
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
    return Number.NaN;
  };
  while (at < to) {
    const type = readVarint() % 8;
    if (type === 2) {
      const start = at;
      const value = readVarint();
      if (!(at + value <= to)) return undefined;
      found.push({ at: start, size: at - start, value }, ...(findLengths(file, at, at + value) ?? []));
      at += value;
    } else if (type === 0) readVarint();
    else if (type === 1) at += 8;
    else if (type === 5) at += 4;
    else return undefined;
  }
  return at === to ? found : undefined;
}

const sizes = [0, 1, 127, 128, 4095, 20_160, 65_536, 1e6, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const strangeNumbers = [Number.NaN, Number.POSITIVE_INFINITY, 1e300, -1, 5e-324, 0.5, ...sizes];

type Message = Record<string, unknown>;

/** Puts something strange in the place of one field, anywhere in the message. */
function disturb(message: Message, dice: Dice): void {
  const names = Object.keys(message);
  if (names.length === 0) return;
  const name = dice.pick(names);
  const value = message[name];
  if (value instanceof Uint8Array) {
    message[name] = dice.pick([
      new Uint8Array(0),
      value.subarray(0, dice.int(0, value.length)),
      concat(value, value),
      splice(value, dice.int(0, value.length), 4, noise(4, dice)),
    ]);
  } else if (Array.isArray(value)) {
    const items: unknown[] = value;
    const item = items.length === 0 ? undefined : dice.pick(items);
    if (typeof item === 'object' && item !== null && dice.chance(0.7)) {
      disturb(item as Message, dice);
      return;
    }
    const strange = items.map((one) =>
      typeof one === 'number' && dice.chance(0.5) ? dice.pick(sizes) : one,
    );
    message[name] = dice.pick([[], [...items, ...items], strange]);
  } else if (typeof value === 'object' && value !== null) {
    if (dice.chance(0.95)) disturb(value as Message, dice);
    else message[name] = null;
  } else if (typeof value === 'number') {
    message[name] = name.endsWith('Ms') ? dice.pick(strangeNumbers) : dice.pick(sizes);
  } else if (typeof value === 'boolean') {
    message[name] = !value;
  } else {
    message[name] = '';
  }
}

const mutations: Readonly<Record<string, Mutation>> = {
  'flipped bits': (bytes, dice) => {
    const changed = new Uint8Array(bytes);
    for (let n = dice.pick([1, 1, 2, 8]); n > 0; n--)
      changed[dice.int(0, bytes.length - 1)] ^= 1 << dice.int(0, 7);
    return changed;
  },
  'inserted bytes': (bytes, dice) => splice(bytes, dice.int(0, bytes.length), 0, noise(dice.int(1, 9), dice)),
  'deleted bytes': (bytes, dice) =>
    splice(bytes, dice.int(0, bytes.length - 1), dice.int(1, 9), new Uint8Array(0)),
  truncation: (bytes, dice) => bytes.subarray(0, dice.int(0, bytes.length - 1)),
  'a splice of another file': (bytes, dice, other) => {
    const from = dice.int(0, other.length - 1);
    const piece = other.subarray(from, from + dice.int(1, 400));
    return splice(bytes, dice.int(0, bytes.length), dice.pick([0, piece.length, 1]), piece);
  },
  'a piece of itself twice': (bytes, dice) => {
    const from = dice.int(0, bytes.length - 1);
    return splice(bytes, dice.int(0, bytes.length), 0, bytes.subarray(from, from + dice.int(1, 400)));
  },
  'an inflated length': (bytes, dice) => {
    const { at, size, value } = dice.pick(findLengths(bytes) ?? []);
    const inflated = dice.pick([value + 1, value + 4, 2 * value, Math.max(0, value - 1), ...sizes]);
    return splice(bytes, at, size, Uint8Array.from(varint(inflated)));
  },
  'a strange field': (bytes, dice) => {
    const message = cellstream.Model.decode(bytes);
    for (let n = dice.int(1, 2); n > 0; n--) disturb(message as unknown as Message, dice);
    return cellstream.Model.encode(message).finish();
  },
};

export const mutationNames = Object.keys(mutations);

/** A damaged file. One in four is damaged in its envelope too, the others reach the reader of the model. */
export function mutate(mutation: string, file: Uint8Array, dice: Dice, other: Uint8Array): Uint8Array {
  const [inner, otherInner] = [file, other].map((bytes) => readModelFile(bytes).modelBytes);
  if (mutation !== 'a strange field' && dice.chance(0.25)) return mutations[mutation](file, dice, other);
  return seal(mutations[mutation](inner, dice, otherInner));
}
