import { describe, expect, test } from 'vitest';
import { highwaySize, inputSize, layoutPast } from '../../src/signal/inputs.ts';
import { createPast, OFFSET } from './past.ts';

const f = Math.fround;
/** A missing value. */
const gap = Number.NaN;
const plain = { features: 1, lags: [] as number[], averages: [] as number[], mask: false };

describe('the layout of a past', () => {
  test('holds ring, averages and masks one after the other', () => {
    const spec = { features: 2, lags: [1, 5], averages: [4, 28], mask: true };
    expect(layoutPast(spec)).toEqual({
      ...{
        spec,
        reach: 5,
        ringLength: 6,
        averagesOffset: 12,
        maskOffset: 16,
        scaleOffset: 18,
        swingOffset: 18,
        size: 18,
        inputSize: 10,
      },
    });
  });

  test('has a ring as long as the longest lag or the highway needs', () => {
    const spec = { ...plain, lags: [1, 5] };
    expect(layoutPast(spec, 4).ringLength).toBe(6);
    expect(layoutPast(spec, 9).ringLength).toBe(9);
    expect(layoutPast({ ...plain, averages: [3] }).ringLength).toBe(1);
  });

  test('has a ring with the season, where gaps follow it', () => {
    const fill = Float32Array.of(0.5, 0.1);
    expect(layoutPast({ ...plain, lags: [1, 5], season: 24, fill }).ringLength).toBe(25);
    expect(layoutPast({ ...plain, lags: [1, 40], season: 24, fill }).ringLength).toBe(41);
    expect(layoutPast({ ...plain, lags: [1, 5], season: 24 }).ringLength).toBe(6);
  });

  test('has four floats more a feature, and the value before, where streams have scales of their own', () => {
    const spread = Float32Array.of(1, 2);
    expect(layoutPast({ ...plain, features: 2, averages: [3], spread })).toMatchObject({
      ...{ ringLength: 2, averagesOffset: 4, maskOffset: 6, scaleOffset: 8, size: 16 },
    });
  });

  test('counts the inputs: F times lags, averages and mask', () => {
    expect(inputSize({ features: 3, lags: [1, 2, 24], averages: [24, 168], mask: false })).toBe(15);
    expect(inputSize({ features: 3, lags: [], averages: [], mask: true })).toBe(3);
    expect(inputSize({ features: 3, lags: [1], averages: [], mask: false, plain: true })).toBe(6);
  });
});

describe('plain values', () => {
  test('come before the lags of their feature, and are there from the first frame on', () => {
    const past = createPast(layoutPast({ ...plain, features: 2, lags: [1], plain: true })).start(1, 100);
    expect(past.inputs()).toEqual([1, 0, 100, 0]);
    expect(past.push(2, 400).inputs()).toEqual([2, -1, 400, -300]);
  });

  test('are held where they are missing', () => {
    const past = createPast(layoutPast({ ...plain, mask: true, plain: true })).start(gap);
    expect(past.inputs()).toEqual([0, 1]);
    expect(past.push(3).push(gap).inputs()).toEqual([3, 1]);
  });
});

describe('lags', () => {
  test('are the values so many frames back, minus the newest', () => {
    const past = createPast(layoutPast({ ...plain, lags: [1, 2, 3] })).start(10);
    past.push(11).push(13).push(16);
    expect(past.inputs()).toEqual([13 - 16, 11 - 16, 10 - 16]);
  });

  test('come feature by feature, in file order', () => {
    const past = createPast(layoutPast({ ...plain, features: 2, lags: [1, 2] })).start(1, 100);
    past.push(2, 200).push(4, 400);
    expect(past.inputs()).toEqual([-2, -3, -200, -300]);
  });

  test('start at 0: the first frame fills the whole ring', () => {
    const past = createPast(layoutPast({ ...plain, features: 2, lags: [1, 7], averages: [3] })).start(5, -2);
    expect(past.inputs()).toEqual([0, 0, 0, 0, 0, 0]);
    expect(past.push(6, -2).inputs()).toEqual([-1, -1, f(5 + f(1 / 3)) - 6, 0, 0, 0].map(f));
  });

  test('stay right when the ring wraps, before 1970 and through slot 0 too', () => {
    for (const firstSlot of [-7, -100, 0, 379_824]) {
      const past = createPast(layoutPast({ ...plain, lags: [1, 4] }), firstSlot).start(0);
      for (let t = 1; t <= 23; t++) {
        past.push(t * t);
        expect(past.inputs()).toEqual([(t - 1) ** 2 - t * t, Math.max(0, t - 4) ** 2 - t * t]);
      }
    }
  });
});

describe('averages', () => {
  test('take the newest value first: e <- e + (x - e) / tau, then e - x', () => {
    const past = createPast(layoutPast({ ...plain, averages: [4, 10] })).start(8);
    expect(past.push(16).inputs()).toEqual([8 + 8 / 4 - 16, f(f(8 + f(0.8)) - 16)]);
    expect(past.push(16).inputs()[0]).toBe(10 + 6 / 4 - 16);
  });

  test('round to float32 after each operation', () => {
    for (const tau of [3, 24, 168]) {
      const past = createPast(layoutPast({ ...plain, averages: [tau] })).start(0.1);
      let e = f(0.1);
      for (let t = 1; t < 300; t++) {
        const x = f(100 * Math.sin(t));
        e = f(e + f(f(x - e) / tau));
        expect(past.push(x).inputs()).toEqual([f(e - x)]);
      }
    }
  });
});

describe('a missing value', () => {
  const spec = { features: 2, lags: [1], averages: [2], mask: true };

  test('holds the one before it, and the mask says so', () => {
    const past = createPast(layoutPast(spec)).start(4, 40).push(6, 50);
    expect(past.push(gap, 60).inputs()).toEqual([0, 5.5 - 6, 1, -10, 52.5 - 60, 0]);
    expect(past.newest(0)).toBe(6);
    expect(past.push(8, gap).inputs()).toEqual([-2, 6.75 - 8, 0, 0, 56.25 - 60, 1]);
  });

  test('is held as long as it lasts', () => {
    const past = createPast(layoutPast(spec)).start(4, 40);
    for (let t = 0; t < 5; t++) past.push(gap, gap);
    expect([past.newest(0), past.newest(1)]).toEqual([4, 40]);
    expect(past.inputs()).toEqual([0, 0, 1, 0, 0, 1]);
  });

  test('before the first one is the training mean, 0', () => {
    const past = createPast(layoutPast(spec)).start(gap, 40);
    expect(past.newest(0)).toBe(0);
    expect(past.inputs()).toEqual([0, 0, 1, 0, 0, 0]);
    expect(past.push(gap, 40).newest(0)).toBe(0);
    expect(past.push(3, 40).inputs()).toEqual([-3, 1.5 - 3, 0, 0, 0, 0]);
  });
});

test('a shift of every value changes no input', () => {
  // multiples of 1/8 are exact in float32 at either height
  const values = Array.from({ length: 40 }, (_, t) => (t % 9 === 4 ? gap : ((t * 37) % 64) / 8));
  const spec = { features: 1, lags: [1, 3, 8], averages: [2], mask: true };
  const low = createPast(layoutPast(spec, 6)).start(values[0]);
  const high = createPast(layoutPast(spec, 6)).start(values[0] + 512);
  for (const value of values.slice(1, 9)) {
    low.push(value);
    high.push(value + 512);
    expect(high.inputs()).toEqual(low.inputs());
    expect(high.highway(false, 6, [0])).toEqual(low.highway(false, 6, [0]));
  }
  expect(high.newest(0)).toBe(low.newest(0) + 512);
});

describe('the highway', () => {
  const layout = layoutPast({ features: 3, lags: [1], averages: [], mask: false }, 4);
  const past = createPast(layout).start(1, 10, 100);
  past.push(2, 20, 200).push(4, 40, 400).push(8, 80, 800).push(16, gap, 1600);

  test('of own values sees the window of each target minus its newest value', () => {
    expect(past.highway(false, 4, [2, 0])).toEqual([-800, -1200, -1400, -8, -12, -14]);
    expect(highwaySize({ allFeatures: false, window: 4, targets: [2, 0] }, 3)).toBe(6);
  });

  test('of all features sees their windows, then their newest values', () => {
    const window = past.highway(true, 3, [1]);
    expect(window).toEqual([-8, -12, 0, -40, -800, -1200, 16, 80, 1600]);
    expect(highwaySize({ allFeatures: true, window: 3, targets: [1] }, 3)).toBe(9);
  });

  test('sees zeros when the stream has just started', () => {
    const young = createPast(layout).start(5, 6, 7);
    expect(young.highway(false, 4, [0, 1])).toEqual([0, 0, 0, 0, 0, 0]);
    expect(young.highway(true, 2, [0])).toEqual([0, 0, 0, 5, 6, 7]);
  });
});

test('a stream touches its own floats alone', () => {
  const own = { season: 4, fill: Float32Array.of(0.5, 0, 0, 0), spread: Float32Array.of(1, 1) };
  const layout = layoutPast({ features: 2, lags: [1, 3], averages: [2], mask: true, ...own }, 5);
  const past = createPast(layout, 100, { known: false }).start(1, 2);
  for (let t = 0; t < 12; t++) past.push(t, gap);
  const around = [...past.memory.subarray(0, OFFSET), ...past.memory.subarray(OFFSET + layout.size)];
  expect(around).toEqual([777, 777, 777, 777, 777, 777, 777]);
  expect(past.memory.subarray(OFFSET, OFFSET + layout.size)).not.toContain(777);
  expect(past.memory[past.newestIndex(0)]).toBe(11);
});
