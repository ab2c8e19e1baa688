import { describe, expect, test } from 'vitest';
import { sumHiddenMoments } from '../../src/quantize/hidden-moments.ts';
import { quantizeModel } from '../../src/quantize/quantize-model.ts';
import { createStreamRun } from '../../src/quantize/stream-run.ts';
import { createDataset, createModel, splitOf } from '../fixtures/random-model.ts';

const H = 5;
const int8 = quantizeModel(createModel({ layers: 2, phases: 3, lags: [1, 2, 3] }), { wide: [false, true] });

/** The same straight from its definition, h of every read row before slot `end` rounded to limit levels of its largest. */
function expected(dataset: ReturnType<typeof createDataset>, end: number, layer: number, limit: number) {
  const sums = new Array<number>(H * H).fill(0);
  for (const { stream, firstSlot, values, present } of dataset.series) {
    const run = createStreamRun(int8, stream);
    present.forEach((read, row) => {
      if (read === 0 || firstSlot + row >= end) return;
      run.step(firstSlot + row, values.subarray(2 * row, 2 * row + 2));
      const h = [...run.hidden.subarray(layer * H, (layer + 1) * H)];
      const scale = Math.max(...h.map(Math.abs)) / limit;
      const q = h.map((value) => scale * Math.round(value / scale));
      for (let j = 0; j < H; j++) for (let k = 0; k < H; k++) sums[j * H + k] += q[j] * q[k];
    });
  }
  return sums;
}

describe('moments of the hidden states', () => {
  const dataset = createDataset({ length: 400 });
  const split = splitOf(dataset);

  test.each([
    ['sum over the training part of every stream', split, split.trainEnd],
    [
      'sum up to the end of validation where nothing was trained on',
      { ...split, trainEnd: split.start },
      split.validationEnd,
    ],
  ])('%s', (_, parts, end) => {
    const moments = sumHiddenMoments(int8, dataset, parts);
    [127, 2047].forEach((limit, layer) => {
      expected(dataset, end, layer, limit).forEach((sum, i) => {
        expect(moments[layer][i]).toBeCloseTo(sum, 3);
      });
    });
  });

  test('take 4000 frames of a long part, from all of it', () => {
    const long = createDataset({ length: 20_000, streams: 1 });
    const { start, end } = splitOf(long);
    const whole = { start, trainEnd: end, validationEnd: end, end };
    const [some] = sumHiddenMoments(int8, long, whole);
    const all = expected(long, end, 0, 127);
    const read = long.series[0].present.reduce((sum, one) => sum + one, 0);
    const ratio = some[0] / all[0] / (4000 / 20_000);
    expect(ratio).toBeGreaterThan(0.9);
    expect(ratio).toBeLessThan(1.1);
    expect(read).toBeGreaterThan(4000);
  });
});
