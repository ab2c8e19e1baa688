import { describe, expect, test } from 'vitest';
import { type ChunkOptions, drawChunks, fewestChunks, longestChunk } from '../../src/train/chunks.ts';

const cases: [string, ChunkOptions][] = [
  ['one phase', { steps: 7, phases: 1, seed: 1, ends: [100] }],
  ['three runs, one too short, one empty', { steps: 5, phases: 3, seed: 2, ends: [61, 14, 0, 200] }],
  [
    'runs that end in the middle of a season',
    { steps: 4, phases: 24, seed: 3, ends: [24 * 9 + 5, 24 * 4 + 1] },
  ],
  ['room for one chunk a phase', { steps: 6, phases: 2, seed: 4, ends: [12] }],
  ['single steps', { steps: 1, phases: 2, seed: 5, ends: [9] }],
];

const epochs = Array.from({ length: 60 }, (_, epoch) => epoch + 1);

describe.each(cases)('the chunks of an epoch, %s', (_, options) => {
  const { steps, phases, ends } = options;
  const draws = epochs.map((epoch) => drawChunks(epoch, options));

  /** How often an epoch visits every row of every run. */
  function visits(epoch: number): Uint8Array[] {
    const seen = ends.map((end) => new Uint8Array(end));
    for (const { run, first } of draws[epoch - 1]) {
      for (let t = 0; t < steps; t++) seen[run][first + t * phases]++;
    }
    return seen;
  }

  test('stay inside the training part of their run', () => {
    for (const { run, first } of draws.flat()) {
      expect(first).toBeGreaterThanOrEqual(0);
      expect(first + (steps - 1) * phases).toBeLessThan(ends[run]);
    }
  });

  test('visit no row twice, and all but less than a chunk at either end of a phase', () => {
    for (const epoch of epochs) {
      visits(epoch).forEach((seen) => {
        expect(Math.max(0, ...seen)).toBeLessThanOrEqual(1);
        for (let phase = 0; phase < phases; phase++) {
          const own = Array.from(seen).filter((_, row) => row % phases === phase);
          if (own.length < steps) continue;
          const first = own.indexOf(1);
          const last = own.lastIndexOf(1);
          expect(first).toBeGreaterThanOrEqual(0);
          expect(first).toBeLessThan(steps);
          expect(own.length - 1 - last).toBeLessThan(steps);
          expect(own.slice(first, last + 1)).not.toContain(0);
        }
      });
    }
  });

  test('visit every row in some epoch', () => {
    ends.forEach((end, run) => {
      const seen = new Uint8Array(end);
      for (const epoch of epochs) {
        visits(epoch)[run].forEach((count, row) => {
          seen[row] ||= count;
        });
      }
      // what is shorter than a chunk is never visited
      for (let row = 0; row < end; row++) {
        const frames = Math.ceil((end - (row % phases)) / phases);
        expect(seen[row]).toBe(frames >= steps ? 1 : 0);
      }
    });
  });

  test('are never fewer than foretold, and phase by phase sometimes as few', () => {
    const fewest = new Map<string, number>();
    for (const draw of draws) {
      const counts = new Map<string, number>();
      for (const { run, first } of draw) {
        const key = `${run} ${first % phases}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      for (const [key, count] of counts) fewest.set(key, Math.min(count, fewest.get(key) ?? count));
    }
    expect([...fewest.values()].reduce((sum, count) => sum + count, 0)).toBe(fewestChunks(options));
  });

  test('come in another order every epoch, the same for the same seed', () => {
    expect(drawChunks(3, options)).toEqual(draws[2]);
    if (draws[0].length < 3) return;
    expect(draws[1]).not.toEqual(draws[0]);
    expect(drawChunks(1, { ...options, seed: 99 })).not.toEqual(draws[0]);
    const inOrder = draws[0].every(({ run }, i, all) => i === 0 || all[i - 1].run <= run);
    if (ends.length > 1) expect(inOrder).toBe(false);
  });
});

test('the longest chunk is what the longest run has of its shortest phase', () => {
  expect(longestChunk([100], 1, 14)).toBe(14);
  expect(longestChunk([10, 13], 1, 14)).toBe(13);
  expect(longestChunk([24 * 5 + 23], 24, 14)).toBe(5);
  expect(longestChunk([23], 24, 14)).toBe(0);
  expect(longestChunk([], 1, 14)).toBe(0);
});
