import { describe, expect, test } from 'vitest';
import { float32 } from '../../src/kernels/training.ts';
import { countKnown, createSlopeWriter, increment } from '../../src/train/answers.ts';
import { createLoss } from '../../src/train/losses.ts';
import type { Run } from '../../src/train/runs.ts';

// two targets, six rows; the first target was not read in row 2, the second not in row 4
const run: Run = {
  series: 0,
  firstSlot: 0,
  length: 6,
  inputs: new Float32Array(0),
  targets: Float32Array.of(0, 10, 1, 12, 1, 14, 4, 17, 6, 17, 9, 25),
  read: Uint8Array.of(1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1),
  widths: Float32Array.of(1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
};

const unknown = Number.NaN;

/** The increments of row i, target after target, step after step. */
function increments(i: number, steps: number, end: number): number[] {
  return [0, 1].flatMap((m) => Array.from({ length: steps }, (_, s) => increment(run, 2, i, m, s + 1, end)));
}

describe('the truth of an answer', () => {
  test('is what the target rises from its newest value, unknown where it was not read', () => {
    expect(increments(0, 3, 6)).toEqual([1, unknown, 4, 2, 4, 7]);
    expect(increments(1, 3, 6)).toEqual([unknown, 3, 5, 2, 5, unknown]);
  });

  test('is unknown when the newest value is a held one', () => {
    expect(increments(2, 2, 6)).toEqual([unknown, unknown, 3, unknown]);
  });

  test('is unknown from the border of the part on', () => {
    expect(increments(0, 3, 2)).toEqual([1, unknown, unknown, 2, unknown, unknown]);
    expect(increments(5, 1, 6)).toEqual([unknown, unknown]);
  });

  test('counts when it is known', () => {
    expect([0, 1, 2, 3, 4, 5].map((i) => countKnown(run, 2, i, { end: 6, steps: 3 }))).toEqual([
      5, 4, 2, 3, 1, 0,
    ]);
    expect(countKnown(run, 2, 0, { end: 2, steps: 3 })).toBe(2);
  });
});

describe('the slopes of a row of answers', () => {
  const objective = { loss: createLoss('mse', float32), precision: float32, targets: 2, quantiles: [] };
  const write = createSlopeWriter(objective);
  const y = Float32Array.of(-1, 3, 9, 4, 2, 4, 8, -1);

  test('are those of the weighted loss, zero where the truth is unknown, and stay in their place', () => {
    const dy = new Float32Array(8).fill(5);
    const sum = write(run, 0, { end: 6, steps: 3 }, y, dy, 1, 0.25);
    // errors 3 - 1, unknown, 4 - 4, 2 - 2, 4 - 4, 8 - 7
    expect(dy).toEqual(Float32Array.of(5, 0.25 * 4, 0, 0, 0, 0, 0.25 * 2, 5));
    expect(sum).toBe(4 + 1);
  });

  test('are all zero without any truth', () => {
    const dy = new Float32Array(6).fill(5);
    expect(write(run, 5, { end: 6, steps: 3 }, y, dy, 0, 0.25)).toBe(0);
    expect(dy).toEqual(new Float32Array(6));
  });

  describe('with quantiles', () => {
    const quantiles = [0.125, 0.25, 0.5, 0.75];
    const withQuantiles = createSlopeWriter({ ...objective, quantiles });
    const slopesOf = (values: Float32Array) => {
      const dy = new Float32Array(values.length).fill(5);
      const sum = withQuantiles(run, 0, { end: 2, steps: 1 }, values, dy, 0, 0.5);
      return { dy: [...dy], sum };
    };

    // the distances have a quarter of the points' weight
    const quarter = 0.25 * 0.5;

    test('are those of the pinball losses on the levels, outwards from the point, times the width of the target', () => {
      // truths 1 and 2; widths 1 and 2. First: levels -1.5, -.5, 2, 3; second: -4, 0, 1, 1.5
      const { dy, sum } = slopesOf(Float32Array.of(1, 2.5, 2, 1, 2, 0.5, 1, 0.25));
      expect(dy).toEqual([
        ...[quarter * 0.125, quarter * 0.25, 0.5 * 2 * 1, quarter * 0.25],
        ...[quarter * 2 * 0.125, quarter * 2 * 0.25, 0.5 * 2 * -1, quarter * 2 * -0.75],
      ]);
      // the point's alone: what validation is compared with
      expect(sum).toBe(1 + 1);
    });

    test('turn with the sign of a distance, which its size is taken of', () => {
      const positive = slopesOf(Float32Array.of(1, 2.5, 2, 1, 2, 0.5, 1, 0.25)).dy;
      const negative = slopesOf(Float32Array.of(-1, -2.5, 2, -1, -2, -0.5, 1, -0.25)).dy;
      expect(negative).toEqual(positive.map((slope, o) => (o % 4 === 2 ? slope : -slope)));
    });

    test('are zero in all rows of a step whose truth is unknown', () => {
      const dy = new Float32Array(8).fill(5);
      withQuantiles(run, 5, { end: 6, steps: 1 }, new Float32Array(8).fill(1), dy, 0, 0.5);
      expect(dy).toEqual(new Float32Array(8));
    });
  });
});
