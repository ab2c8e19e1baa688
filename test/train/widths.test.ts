import { expect, test } from 'vitest';
import { float32 } from '../../src/kernels/training.ts';
import { createScalarTrainingKernel } from '../../src/kernels/training-scalar.ts';
import { createParameters, initializeParameters } from '../../src/train/parameters.ts';
import { initializeWidths } from '../../src/train/widths.ts';
import { makeDataset } from '../data/make-dataset.ts';
import { setUp } from './setup.ts';
import { train } from './training.ts';

const kernel = createScalarTrainingKernel(float32);
const dataset = makeDataset({ a: Array.from({ length: 100 }, (_, t) => (t * 7) % 11) });

/** Parameters as a training starts from them, before and after the widths. */
function initialized(quantiles: readonly number[]) {
  const { topology, runs, options } = setUp(dataset, { steps: 2, hidden: 3, quantiles });
  const before = createParameters(kernel, topology);
  initializeParameters(before, topology, 1);
  const after = createParameters(kernel, topology, before.flat.slice());
  initializeWidths(after, topology, runs, options);
  return { before, after, run: runs[0], end: options.trainEnds[0] };
}

test('distances start at the mean rise of the training part, shared by the levels of a side, the same in every state', () => {
  const { before, after, run, end } = initialized([0.05, 0.1, 0.5, 0.9]);
  const riseOf = (s: number) => {
    const rises = Array.from({ length: end - s }, (_, i) => Math.abs(run.targets[i + s] - run.targets[i]));
    return rises.reduce((sum, rise) => sum + rise, 0) / rises.length;
  };
  [riseOf(1), riseOf(2)].forEach((rise, s) => {
    const expected = [rise / 2, rise / 2, 0, rise];
    expect(Array.from(after.headBias.subarray(4 * s, 4 * s + 4), (width) => width.toFixed(5))).toEqual(
      expected.map((width) => width.toFixed(5)),
    );
  });
  expect(riseOf(1)).not.toBeCloseTo(riseOf(2), 2);
  for (let o = 0; o < 8; o++) {
    const row = (values: ArrayLike<number>) => Array.from(values).slice(3 * o, 3 * o + 3);
    const isPoint = o % 4 === 2;
    expect(row(after.headWeights)).toEqual(isPoint ? row(before.headWeights) : [0, 0, 0]);
    expect(row(before.headWeights)).not.toEqual([0, 0, 0]);
  }
});

test('a training starts from there', () => {
  // no step of this size is better than none
  const training = { learningRate: 1000, schedule: 'constant', epochs: 1, seed: 1 } as const;
  const { parameters, bestEpoch } = train(
    setUp(dataset, { steps: 2, hidden: 3, quantiles: [0.1, 0.5, 0.9], training }),
  );
  expect(bestEpoch).toBe(0);
  expect(parameters.flat).toEqual(initialized([0.1, 0.5, 0.9]).after.flat);
});

test('nothing changes where there are points alone', () => {
  const { before, after } = initialized([]);
  expect(after.flat).toEqual(before.flat);
});
