// Where a thread keeps the vectors of the two frames in hand, as offsets from the first one's; `apart` further on lie those
// of the second.

export let apart: usize = 0;
/** Integers of the input, then of the hidden state. */
export let q: usize = 0;
export let z: usize = 0;
export let aside: usize = 0;
/** Sums of one float32 product. */
export let sums: usize = 0;

/** Lays them out from `at` on.
 * @returns where the memory is free from */
export function layOut(at: usize, inputs: i32, hidden: i32, outputs: i32): usize {
  const rows = 16 * ((hidden + 3) >> 2);
  q = at;
  // four bytes a value are enough for pairs and for quads
  z = q + padded(max(inputs, hidden) * 4);
  aside = z + padded(rows * 4);
  sums = aside + padded(hidden * 4);
  apart = sums + padded(outputs * 4) - at;
  return at + 2 * apart;
}

/** To whole cache lines, with one more that a vector may read or fill beyond the end. */
function padded(bytes: i32): usize {
  return ((<usize>bytes + 63) & ~63) + 64;
}
