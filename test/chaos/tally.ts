import { hourOf } from './sensors.ts';

interface TalliedReading {
  readonly stream: string;
  readonly feature: number;
  readonly timeMs: number;
  readonly value: number;
}

/** How often each reading was there, and its value. */
export interface Tally {
  /** Of all readings. */
  readonly total: number;
  note(reading: TalliedReading): void;
  /** Of the readings of `expected`: those that are missing here or have another value, and those that are too many. */
  compare(expected: Tally): { lost: number; doubled: number };
  at(place: number): { readonly count: number; readonly value: number };
  readonly places: number;
}

/** @param streams named s0, s1 ... with two features and a reading an hour */
export function createTally(streams: number): Tally {
  let counts = new Uint8Array(1 << 16);
  let values = new Float32Array(counts.length);
  let total = 0;

  function reserve(place: number): void {
    if (place < counts.length) return;
    const [fewer, less] = [counts, values];
    counts = new Uint8Array(2 * place);
    counts.set(fewer);
    values = new Float32Array(2 * place);
    values.set(less);
  }

  const tally: Tally = {
    get total() {
      return total;
    },
    get places() {
      return counts.length;
    },
    note({ stream, feature, timeMs, value }) {
      const place = (hourOf(timeMs) * streams + Number(stream.slice(1))) * 2 + feature;
      reserve(place);
      counts[place]++;
      values[place] = value;
      total++;
    },
    compare(expected) {
      let [lost, doubled] = [0, 0];
      for (let place = 0; place < Math.max(tally.places, expected.places); place++) {
        const [found, wanted] = [tally.at(place), expected.at(place)];
        doubled += Math.max(0, found.count - wanted.count);
        const isOther = wanted.count > 0 && !Object.is(found.value, wanted.value);
        if (found.count < wanted.count || isOther) lost++;
      }
      return { lost, doubled };
    },
    at: (place) => ({ count: counts[place] ?? 0, value: values[place] ?? 0 }),
  };
  return tally;
}
