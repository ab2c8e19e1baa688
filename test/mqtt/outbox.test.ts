import { expect, test } from 'vitest';
import { createOutbox, type Outbox } from '../../src/mqtt/outbox.ts';

function takeAll(outbox: Outbox): string[] {
  const taken: string[] = [];
  for (let next = outbox.take(); next; next = outbox.take()) taken.push(`${next.stream}${next.payload}`);
  return taken;
}

test('gives back the newest of each stream, the one that waited longest first', () => {
  const outbox = createOutbox({ burst: 3, streams: 10 });
  for (const stream of ['a', 'b', 'c', 'a', 'c']) {
    outbox.add({ stream, payload: String(outbox.size + outbox.superseded) }, false);
  }
  expect(outbox).toMatchObject({ size: 3, superseded: 2, dropped: 0 });
  expect(takeAll(outbox)).toEqual(['a3', 'b1', 'c4']);
  expect(outbox.size).toBe(0);
});

test('keeps a short burst whole and in order, and a longer one without its oldest; of many streams the newest of each', () => {
  const outbox = createOutbox({ burst: 3, streams: 10 });
  const add = (stream: string, payload: number) => outbox.add({ stream, payload: String(payload) }, true);
  for (let i = 0; i < 3; i++) add('a', i);
  expect(outbox.take()?.payload).toBe('0');
  add('b', 3);
  expect(outbox).toMatchObject({ size: 3, superseded: 0 });
  expect(takeAll(outbox)).toEqual(['a1', 'a2', 'b3']);
  for (let i = 0; i < 9; i++) add(i % 2 === 0 ? 'a' : 'b', i);
  expect(outbox).toMatchObject({ size: 3, superseded: 6 });
  expect(takeAll(outbox)).toEqual(['a6', 'b7', 'a8']);
  for (const [i, stream] of ['a', 'b', 'c', 'd', 'a'].entries()) add(stream, i);
  expect(outbox).toMatchObject({ size: 4, superseded: 7 });
  expect(takeAll(outbox)).toEqual(['a4', 'b1', 'c2', 'd3']);
  add('a', 9);
  add('a', 10);
  expect(takeAll(outbox)).toEqual(['a9', 'a10']);
});

test('drops the stream that waited longest when there are too many', () => {
  const outbox = createOutbox({ burst: 3, streams: 2 });
  for (const stream of ['a', 'b', 'a', 'c', 'd']) outbox.add({ stream: stream, payload: '' }, false);
  expect(outbox).toMatchObject({ size: 2, superseded: 1, dropped: 2 });
  expect(takeAll(outbox)).toEqual(['c', 'd']);
});

test('takes back what did not arrive before all that came later, unless a newer one of its stream is there', () => {
  const outbox = createOutbox({ burst: 3, streams: 10 });
  outbox.add({ stream: 'b', payload: '3' }, false);
  outbox.add({ stream: 'c', payload: '4' }, false);
  outbox.addOlder([
    { stream: 'a', payload: '0' },
    { stream: 'b', payload: '1' },
    { stream: 'a', payload: '2' },
  ]);
  expect(outbox).toMatchObject({ size: 3, superseded: 2 });
  expect(takeAll(outbox)).toEqual(['a2', 'b3', 'c4']);
});

test('goes on after it was empty', () => {
  const outbox = createOutbox({ burst: 3, streams: 10 });
  expect(outbox.take()).toBeUndefined();
  outbox.add({ stream: 'a', payload: '' }, false);
  expect(takeAll(outbox)).toEqual(['a']);
  outbox.add({ stream: 'b', payload: '' }, false);
  expect(outbox.take()?.stream).toBe('b');
  outbox.add({ stream: 'c', payload: '' }, false);
  expect(takeAll(outbox)).toEqual(['c']);
});

test('a hundred thousand streams leave it in a moment', () => {
  const outbox = createOutbox({ burst: 3, streams: 100_000 });
  for (let i = 0; i < 100_000; i++) outbox.add({ stream: String(i), payload: '' }, false);
  const start = process.cpuUsage();
  expect(takeAll(outbox)).toHaveLength(100_000);
  // passing over all that was deleted takes minutes
  expect(process.cpuUsage(start).user).toBeLessThan(2e6);
});
