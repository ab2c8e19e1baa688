import { expect, test } from 'vitest';
import { shareChannels } from '../../src/data/channels.ts';
import { makeDataset } from './make-dataset.ts';

test('shareChannels makes a stream of every feature of every stream', () => {
  const dataset = makeDataset({ a: [1, 10, 2, 20], b: { firstSlot: 7, values: [3, 30] } }, ['x', 'y']);
  dataset.series[0].present[1] = 0;
  const shared = shareChannels(dataset);
  expect(shared.features).toEqual(['value']);
  expect(shared.series).toEqual([
    { stream: 'a/x', firstSlot: 100, length: 2, values: Float32Array.of(1, 2), present: Uint8Array.of(1, 0) },
    {
      stream: 'a/y',
      firstSlot: 100,
      length: 2,
      values: Float32Array.of(10, 20),
      present: Uint8Array.of(1, 0),
    },
    { stream: 'b/x', firstSlot: 7, length: 1, values: Float32Array.of(3), present: Uint8Array.of(1) },
    { stream: 'b/y', firstSlot: 7, length: 1, values: Float32Array.of(30), present: Uint8Array.of(1) },
  ]);
});

test('shareChannels takes the named features alone', () => {
  const shared = shareChannels(makeDataset({ a: [1, 10, 2, 20] }, ['x', 'y']), [1]);
  expect(shared.series.map(({ stream, values }) => [stream, ...values])).toEqual([['a/y', 10, 20]]);
});
