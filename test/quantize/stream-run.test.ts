import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSession } from '../../src/engine/session.ts';
import type { Model } from '../../src/model/model.ts';
import { createStreamRun, walkSeries } from '../../src/quantize/stream-run.ts';
import {
  cellKinds,
  createDataset,
  createModel,
  createRandomModel,
  hourMs,
  type ModelShape,
} from '../fixtures/random-model.ts';

const bits = (values: Float32Array) => Buffer.from(values.slice().buffer).toString('hex');

/** Walks a series offline and steps a session through its rows, reading by reading.
 * @returns what differs first */
function firstDifference(model: Model, seed: number): string | undefined {
  const dataset = createDataset({ seed, features: model.input.features, streams: 3, length: 150 });
  for (const [index, series] of dataset.series.entries()) {
    const walked = new Map<number, string>();
    walkSeries(model, dataset, index, (row, answers) => walked.set(row, bits(answers)));
    const session = createSession(model, series.stream);
    const { features } = model.input;
    for (let row = 0; row < series.length; row++) {
      if (series.present[row] === 0) continue;
      const values = series.values.subarray(row * features, (row + 1) * features);
      const result = session.step({ timeMs: (series.firstSlot + row) * hourMs + 17, values });
      const answer = result.kind === 'forecast' ? bits(result.values) : undefined;
      if (answer !== walked.get(row))
        return `${series.stream} row ${row}: ${answer}, offline ${walked.get(row)}`;
    }
    if (walked.size === 0) return `${series.stream} has no answers`;
  }
  return undefined;
}

const shapes: readonly (readonly [string, Partial<ModelShape>])[] = [
  ...cellKinds.map((cell) => [cell, { cell, layers: 2 }] as const),
  ['int8', { weights: 'int8', layers: 2 }],
  ['wide int8', { weights: 'wide' }],
  ['int8 with a wide layer between two', { weights: 'mixed', layers: 3 }],
  [
    'int8 polyphase with a highway a channel',
    {
      ...{ weights: 'int8', phases: 4, lags: [1, 2, 3, 4], averages: [4, 28], mask: true },
      ...{ highway: 'all', groups: 'each', channels: ['LGA'], targets: [1, 0], quantiles: [0.1, 0.5, 0.9] },
      swing: true,
    },
  ],
  ['output last', { segment: 5 }],
  ['filled gaps', { weights: 'int8', phases: 3, lags: [1, 2, 3], mask: true, fill: true }],
  [
    'a known stream and two that learn their scale',
    { ...{ weights: 'int8', highway: 'all', targets: [1, 0] }, fill: true, streams: ['JFK'] },
  ],
  [
    'plain values and differences',
    { weights: 'int8', plain: true, plainOutput: true, mask: true, targets: [1, 0] },
  ],
];

describe('the offline walk and the engine', () => {
  test.each(shapes)('give the same bits over data with gaps: %s', (_name, shape) => {
    expect(firstDifference(createModel(shape), 3)).toBeUndefined();
  });

  test('give the same bits for any model', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        expect(firstDifference(createRandomModel(seed), seed)).toBeUndefined();
      }),
      { seed: 4, numRuns: 40 },
    );
  });
});

describe('a stream run', () => {
  const model = createModel({ phases: 2, lags: [1, 2], layers: 2 });

  test('does not answer a slot that was stepped before, nor changes by it', () => {
    const run = createStreamRun(model, '');
    run.step(10, [1, 2]);
    run.step(11, [2, 2]);
    const before = run.state.slice();
    expect(run.step(11, [3, 3])).toBeUndefined();
    expect(run.step(9, [3, 3])).toBeUndefined();
    expect(run.state).toEqual(before);
  });

  test('shows h of every layer in the phase stepped last', () => {
    const run = createStreamRun(model, '');
    run.step(10, [1, 2]);
    run.step(11, [20, 30]);
    // [P, layers, h then c], H = 5: phase 1
    expect(run.hidden.subarray(0, 5)).toEqual(run.state.subarray(20, 25));
    expect(run.hidden.subarray(5)).toEqual(run.state.subarray(30, 35));
    expect(run.hidden.every((value) => value !== 0)).toBe(true);
  });

  test('shows its increments as z-scores', () => {
    const run = createStreamRun(model, '');
    const answers = run.step(10, [21, 41]) as Float32Array;
    const [mean, scale] = model.input.scalers;
    const newest = (21 - mean) / scale;
    answers.forEach((answer, o) => {
      expect((answer - mean) / scale - newest).toBeCloseTo(run.increments[o], 5);
    });
  });
});
