import { expect, test } from 'vitest';
import { shareChannels } from '../../src/data/channels.ts';
import type { Series } from '../../src/data/dataset.ts';
import { makeDataset } from './make-dataset.ts';

test('shareChannels makes a stream of every feature of every stream', () => {
  const dataset = makeDataset({ a: [1, 10, 2, 20], b: { firstSlot: 7, values: [3, 30] } }, ['x', 'y']);
  dataset.series[0].present[1] = 0;
  const shared = shareChannels(dataset);
  expect(shared.features).toEqual(['value']);
  expect(shared.series).toEqual([
    channelOf('a', 'x', { firstSlot: 100, values: [1, 2], present: [1, 0] }),
    channelOf('a', 'y', { firstSlot: 100, values: [10, 20], present: [1, 0] }),
    channelOf('b', 'x', { firstSlot: 7, values: [3], present: [1] }),
    channelOf('b', 'y', { firstSlot: 7, values: [30], present: [1] }),
  ]);
});

function channelOf(
  stream: string,
  feature: string,
  { firstSlot, values, present }: { firstSlot: number; values: number[]; present: number[] },
): Series {
  return {
    stream: `${stream}/${feature}`,
    channel: { stream, feature },
    firstSlot,
    length: values.length,
    values: Float32Array.from(values),
    present: Uint8Array.from(present),
  };
}

test('shareChannels takes the named features alone', () => {
  const shared = shareChannels(makeDataset({ a: [1, 10, 2, 20] }, ['x', 'y']), [1]);
  expect(shared.series.map(({ stream, values }) => [stream, ...values])).toEqual([['a/y', 10, 20]]);
});
