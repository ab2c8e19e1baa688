import { describe, expect, test } from 'vitest';
import { proveGolden } from '../../src/engine/self-test.ts';
import { createGolden } from '../../src/quantize/golden.ts';
import { createStreamRun } from '../../src/quantize/stream-run.ts';
import { createDataset, createModel, hourMs, splitOf } from '../fixtures/random-model.ts';

const dataset = createDataset({ length: 400 });
const [series] = dataset.series;
const split = splitOf(dataset);

describe('golden vectors', () => {
  test('of a segment answer at least once, from a stream that is long enough', () => {
    const segmented = createModel({ segment: 100, phases: 1, lags: [1] });
    const short = { ...series, stream: 'short', length: 80, values: series.values.slice(0, 160) };
    const streams = { ...dataset, series: [short, ...dataset.series] };
    const golden = createGolden(segmented, streams, split);
    expect([golden.stream, golden.timesMs.length]).toEqual(['JFK', 100]);
    expect(golden.outputs.some((value) => value !== 0)).toBe(true);
    expect(() => createGolden(segmented, { ...dataset, series: [short] }, split)).toThrow(
      /no answer in 80 frames/,
    );
  });

  test.each([
    [1, 64],
    [5, 64],
    [22, 66],
  ])('of %i phases are %i consecutive frames from the start of validation', (phases, count) => {
    const lags = Array.from({ length: phases }, (_, i) => i + 1);
    const golden = createGolden(createModel({ phases, lags }), dataset, split);
    expect(golden.stream).toBe('JFK');
    expect([...golden.timesMs]).toEqual(
      Array.from({ length: count }, (_, i) => (split.trainEnd + i) * hourMs),
    );
    const row = split.trainEnd - series.firstSlot;
    expect(golden.frames).toEqual(series.values.slice(2 * row, 2 * (row + count)));
    expect(golden.outputs).toHaveLength(3 * count);
    expect(golden.state).toHaveLength(10 * phases);
  });

  test('have missing rows as frames of NaN', () => {
    const { frames } = createGolden(createModel(), dataset, { ...split, trainEnd: series.firstSlot + 90 });
    // the long gap of the data
    expect([...frames.subarray(2 * 10, 2 * 18)].every(Number.isNaN)).toBe(true);
    expect(frames.some((value) => !Number.isNaN(value))).toBe(true);
  });

  test('move forward where validation is too short for them, and are fewer where the series is', () => {
    const late = createGolden(createModel(), dataset, { ...split, trainEnd: series.firstSlot + 390 });
    expect([late.timesMs[0], late.timesMs.length]).toEqual([(series.firstSlot + 336) * hourMs, 64]);
    const short = createDataset({ length: 40 });
    const all = createGolden(createModel(), short, splitOf(short));
    expect([all.timesMs[0], all.timesMs.length]).toEqual([short.series[0].firstSlot * hourMs, 40]);
  });

  test('start from a zero state', () => {
    const model = createModel();
    const golden = createGolden(model, dataset, split);
    const run = createStreamRun(model, 'JFK');
    expect(run.step(split.trainEnd, golden.frames.subarray(0, 2))).toEqual(golden.outputs.subarray(0, 3));
  });

  test('of a segment model hold zeros where it does not answer', () => {
    const golden = createGolden(createModel({ segment: 4 }), dataset, split);
    const answers = Array.from(golden.timesMs, (_, i) => golden.outputs[3 * i] !== 0);
    expect(answers).toEqual(Array.from(golden.timesMs, (_, i) => i % 4 === 3));
    expect(golden.state.every((value) => value === 0)).toBe(true);
  });

  test('are what the engine makes of the frames', () => {
    const model = createModel({ weights: 'int8', channels: ['JFK'], highway: 'all', groups: 'each' });
    const golden = createGolden(model, dataset, split);
    expect(proveGolden({ ...model, golden })).toBeUndefined();
    const other = { ...golden, stream: 'LGA' };
    expect(proveGolden({ ...model, golden: other })).toMatch(/^output \d+ of frame 0 is .*, the file says /);
  });
});
