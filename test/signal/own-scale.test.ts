import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitSpread, learnScale, scaleFloats, startScales } from '../../src/signal/own-scale.ts';
import { createRandom } from '../fixtures/series.ts';

const f = Math.fround;
/** Floats before a stream's scales, so that a wrong offset shows. */
const AT = 2;

/** One feature's scale and the values that it is learnt from. */
function createScale({ spread = 1, known = false } = {}) {
  const spreads = Float32Array.of(spread);
  const memory = new Float32Array(AT + scaleFloats + 2);
  startScales(memory, AT, spreads, known);
  const [before, newest] = [AT + scaleFloats, AT + scaleFloats + 1];
  return {
    memory,
    get factor() {
      return memory[AT];
    },
    step(by: number) {
      memory[before] = 5;
      memory[newest] = 5 + by;
      learnScale(memory, AT, newest, before, spreads, 0);
    },
    steps(count: number, size: number, seed = 1) {
      const random = createRandom(seed);
      // uniform steps of that root mean square
      for (let i = 0; i < count; i++) this.step(size * Math.sqrt(3) * (2 * random() - 1));
    },
  };
}

describe("a stream's own scale", () => {
  test('is v + (ratio - v) / n, in float32 and this order, and its root', () => {
    const scale = createScale({ spread: 0.7 });
    scale.step(1.5);
    const v = f(1 + f(f(f(f(1.5 * 1.5) / f(0.7)) - 1) / 16.5));
    const g = f(Math.sqrt(v));
    expect([...scale.memory.subarray(0, AT + scaleFloats)]).toEqual([0, 0, g, f(1 / g), v, 16.5]);
  });

  test.each([10, 0.1, 1000, 5 / 9, 1])('of steps %d times as wide is learnt in a week of hours', (size) => {
    const scale = createScale();
    scale.steps(168, size);
    expect(scale.factor / size).toBeGreaterThan(0.85);
    // a little of the training is still there, and it is wide beside small steps
    expect(scale.factor / size).toBeLessThan(size < 0.5 ? 2 : 1.15);
    scale.steps(500, size, 2);
    expect(scale.factor / size).toBeGreaterThan(0.93);
    expect(scale.factor / size).toBeLessThan(1.12);
  });

  test('is hardly moved by one spike, however high', () => {
    const scale = createScale();
    scale.steps(2500, 1);
    const before = scale.factor;
    scale.step(1e6);
    expect(scale.factor / before).toBeGreaterThan(1);
    expect(scale.factor / before).toBeLessThan(1.02);
  });

  test('forgets: after a summer of wide steps it is that of autumn', () => {
    const scale = createScale();
    scale.steps(5000, 3);
    scale.steps(4000, 1, 2);
    expect(scale.factor).toBeGreaterThan(0.9);
    expect(scale.factor).toBeLessThan(1.2);
  });

  test('stays where divisions are safe, and comes back, after steps of nothing and of everything', () => {
    const scale = createScale();
    for (let i = 0; i < 50_000; i++) scale.step(0);
    expect(scale.factor).toBe(f(Math.sqrt(f(1e-6))));
    scale.steps(2500, 1);
    expect(scale.factor).toBeGreaterThan(0.7);
    for (let i = 0; i < 5000; i++) scale.step(1e6);
    expect(scale.factor).toBe(1000);
    scale.steps(20_000, 1);
    expect(scale.factor).toBeLessThan(1.5);
  });

  test('is 1 for ever in a known stream, and in a feature that did not move in training', () => {
    for (const scale of [createScale({ known: true }), createScale({ spread: 0 })]) {
      scale.steps(500, 10);
      expect([...scale.memory.subarray(AT, AT + scaleFloats)]).toEqual([1, 1, 1, 0]);
    }
  });

  test('is a finite factor with its inverse, whatever comes', () => {
    const step = fc.double({ min: -2e6, max: 2e6, noNaN: true });
    const spread = fc.double({ min: 1e-9, max: 1e13, noNaN: true });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), spread, (steps, level) => {
        const scale = createScale({ spread: level });
        for (const by of steps) scale.step(by);
        const [factor, inverse] = scale.memory.subarray(AT);
        expect(factor).toBeGreaterThan(0.0009);
        expect(factor).toBeLessThanOrEqual(1000);
        expect(inverse).toBe(f(1 / factor));
      }),
      { seed: 6, numRuns: 200 },
    );
  });
});

describe('the spread of a feature', () => {
  test('is the mean square of the steps between values that were read, over all series', () => {
    const series = [Float32Array.of(0, 1, Number.NaN, 5, 2), Float32Array.of(1, 3)];
    expect(fitSpread(series)).toBe(f((1 + 9 + 4) / 3));
  });

  test('is 0 where nothing moves or nothing is there', () => {
    expect(fitSpread([Float32Array.of(2, 2, 2)])).toBe(0);
    expect(fitSpread([Float32Array.of(2, f(2 + 1e-6), 2)])).toBe(0);
    expect(fitSpread([Float32Array.of(Number.NaN, 1), new Float32Array(0)])).toBe(0);
  });
});
