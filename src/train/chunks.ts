import { purpose, shuffle, uniform } from '../math/random.ts';

/** A piece of training: rows first, first + P, ... of a run, all of one phase. */
export interface Chunk {
  readonly run: number;
  readonly first: number;
}

export interface ChunkOptions {
  /** T */
  readonly steps: number;
  /** P */
  readonly phases: number;
  readonly seed: number;
  /** [run]: rows of the training part. */
  readonly ends: readonly number[];
}

/** The longest chunk that some run can give, at most `wanted` steps. */
export function longestChunk(ends: readonly number[], phases: number, wanted: number): number {
  const most = Math.max(0, ...ends.map((end) => Math.floor(end / phases)));
  return Math.min(wanted, most);
}

/** Rows of one phase of a run, and from how many offsets pieces of T of them may begin. */
function phaseFrames(
  end: number,
  phase: number,
  { steps, phases }: ChunkOptions,
): { frames: number; offsets: number } {
  const frames = Math.ceil((end - phase) / phases);
  return { frames, offsets: Math.min(steps, frames - steps + 1) };
}

/** The number of chunks that every epoch has, whatever its offsets. */
export function fewestChunks(options: ChunkOptions): number {
  let count = 0;
  for (const end of options.ends) {
    for (let phase = 0; phase < options.phases; phase++) {
      const { frames, offsets } = phaseFrames(end, phase, options);
      if (offsets > 0) count += Math.floor((frames - offsets + 1) / options.steps);
    }
  }
  return count;
}

/** An epoch's chunks in random order: every phase of every run cut into pieces from a random offset, so that nearly
 * each row is seen once. */
export function drawChunks(epoch: number, options: ChunkOptions): Chunk[] {
  const { steps, phases, seed, ends } = options;
  const chunks: Chunk[] = [];
  ends.forEach((end, run) => {
    for (let phase = 0; phase < phases; phase++) {
      const { frames, offsets } = phaseFrames(end, phase, options);
      if (offsets <= 0) continue;
      let t = Math.floor(uniform(seed, purpose.offsets, epoch, run, phase) * offsets);
      for (; t + steps <= frames; t += steps) chunks.push({ run, first: phase + t * phases });
    }
  });
  const order = Int32Array.from(chunks, (_, i) => i);
  shuffle(order, seed, epoch);
  return Array.from(order, (i) => chunks[i]);
}
