import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAligner, createAligners, type Frame } from '../../src/signal/align.ts';

const periodMs = 60_000;

const options = fc.record({
  features: fc.integer({ min: 1, max: 3 }),
  combine: fc.constantFrom(undefined, 'last', 'mean', 'sum', 'max'),
  latenessMs: fc.constantFrom(0, 60_000, 150_000),
});

/** In steps of a quarter of a period: some together, some in order, some late, some twice. */
const readings = fc.array(
  fc.record({
    quarter: fc.integer({ min: -6, max: 12 }),
    feature: fc.nat(2),
    value: fc.oneof(fc.float({ noDefaultInfinity: true }), fc.constant(Number.NaN)),
  }),
  { maxLength: 60 },
);

test('an aligner that is restored goes on as the one that was saved, wherever it was saved', () => {
  fc.assert(
    fc.property(options, readings, fc.nat(60), ({ features, ...rest }, given, cut) => {
      const all = given.map(({ quarter, feature, value }, i) => ({
        timeMs: (i + quarter) * (periodMs / 4),
        feature: feature % features,
        value,
      }));
      const create = createAligners({ periodMs, features, ...rest });
      const aligner = create();
      const frames: Frame[] = [];
      const push = (to: typeof aligner, from: number, end: number, closed: Frame[]) =>
        all.slice(from, end).map(({ timeMs, feature, value }) => to.push(timeMs, feature, value, closed));
      push(aligner, 0, cut, frames);
      const saved = aligner.save();
      // one of the same family, and one that has seen other things before
      const used = createAligner({ periodMs, features, ...rest });
      push(used, cut, all.length, []);
      for (const restored of [create(), used]) {
        restored.restore(saved);
        expect(restored.save()).toEqual(saved);
      }
      frames.length = 0;
      const alignments = push(aligner, cut, all.length, frames);
      aligner.flush(frames);
      const usedFrames: Frame[] = [];
      expect(push(used, cut, all.length, usedFrames)).toEqual(alignments);
      used.flush(usedFrames);
      expect(usedFrames).toEqual(frames);
    }),
    { seed: 6, numRuns: 500 },
  );
});

test('readings that an aligner has taken change nothing when they come again, in whatever state it is', () => {
  fc.assert(
    fc.property(options, readings, fc.nat(60), ({ features, ...rest }, given, from) => {
      const aligner = createAligner({ periodMs, features, ...rest });
      const taken: [number, number, number][] = [];
      for (const [i, { quarter, feature, value }] of given.entries()) {
        const reading: [number, number, number] = [(i + quarter) * (periodMs / 4), feature % features, value];
        const ending = aligner.push(...reading, []);
        if (ending === 'applied' || ending === 'merged') taken.push(reading);
      }
      const saved = aligner.save();
      const closed: Frame[] = [];
      for (const reading of taken.slice(from % Math.max(1, taken.length))) {
        expect(['duplicate', 'late']).toContain(aligner.push(...reading, closed));
      }
      expect(closed).toEqual([]);
      expect(aligner.save()).toEqual(saved);
    }),
    { seed: 6, numRuns: 500 },
  );
});
