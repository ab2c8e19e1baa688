/** What a random number is for; part of its counter, so that no use disturbs another. */
export const purpose = { weights: 1, offsets: 2, shuffle: 3, resets: 4, dropout: 5, readings: 6 } as const;
export type Purpose = (typeof purpose)[keyof typeof purpose];

/** murmur3's finalizer: every input bit flips about half of the output bits. */
function mix(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** A counter-based random number in [0, 1), a multiple of 2^-24: it depends on its five counters alone, so that
 * neither the number of workers nor a resume changes it. */
export function uniform(seed: number, use: Purpose, update: number, row: number, unit: number): number {
  return uniformOf(counterOf(seed, use, update, row), unit);
}

/** The first four counters in one number, where many units share them. */
export function counterOf(seed: number, use: Purpose, update: number, row: number): number {
  let h = mix(seed ^ 0x9e3779b9);
  h = mix(h ^ Math.imul(use, 0x85ebca77));
  h = mix(h + Math.imul(update, 0x9e3779b1));
  return mix(h ^ Math.imul(row + 1, 0xc2b2ae3d));
}

/** The random number of a unit, given `counterOf` the rest. */
export function uniformOf(counter: number, unit: number): number {
  return (mix(counter + Math.imul(unit + 1, 0x27d4eb2f)) >>> 8) / 16777216;
}

/** Fisher and Yates, in place. */
export function shuffle(items: Int32Array, seed: number, round: number): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(uniform(seed, purpose.shuffle, round, i, 0) * (i + 1));
    const kept = items[i];
    items[i] = items[j];
    items[j] = kept;
  }
}
