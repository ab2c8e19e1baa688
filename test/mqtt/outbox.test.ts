import { expect, test } from 'vitest';
import { createOutbox, type Outbox } from '../../src/mqtt/outbox.ts';

function takeAll(outbox: Outbox): string[] {
  const taken: string[] = [];
  for (let next = outbox.take(); next; next = outbox.take()) taken.push(`${next.stream}${next.payload}`);
  return taken;
}

test('gives back the newest of each stream, the one that waited longest first', () => {
  const outbox = createOutbox(10);
  for (const stream of ['a', 'b', 'c', 'a', 'c']) outbox.add(stream, String(outbox.size + outbox.superseded));
  expect(outbox).toMatchObject({ size: 3, superseded: 2, dropped: 0 });
  expect(takeAll(outbox)).toEqual(['a3', 'b1', 'c4']);
  expect(outbox.size).toBe(0);
});

test('drops the stream that waited longest when there are too many', () => {
  const outbox = createOutbox(2);
  for (const stream of ['a', 'b', 'a', 'c', 'd']) outbox.add(stream, '');
  expect(outbox).toMatchObject({ size: 2, superseded: 1, dropped: 2 });
  expect(takeAll(outbox)).toEqual(['c', 'd']);
});

test('takes back what did not arrive before all that came later, unless a newer one of its stream is there', () => {
  const outbox = createOutbox(10);
  outbox.add('b', '3');
  outbox.add('c', '4');
  outbox.addOlder([
    { stream: 'a', payload: '0' },
    { stream: 'b', payload: '1' },
    { stream: 'a', payload: '2' },
  ]);
  expect(outbox).toMatchObject({ size: 3, superseded: 2 });
  expect(takeAll(outbox)).toEqual(['a2', 'b3', 'c4']);
});

test('goes on after it was empty', () => {
  const outbox = createOutbox(10);
  expect(outbox.take()).toBeUndefined();
  outbox.add('a', '');
  expect(takeAll(outbox)).toEqual(['a']);
  outbox.add('b', '');
  expect(outbox.take()?.stream).toBe('b');
  outbox.add('c', '');
  expect(takeAll(outbox)).toEqual(['c']);
});

test('a hundred thousand streams leave it in a moment', () => {
  const outbox = createOutbox(100_000);
  for (let i = 0; i < 100_000; i++) outbox.add(String(i), '');
  const startMs = performance.now();
  expect(takeAll(outbox)).toHaveLength(100_000);
  // passing over all that was deleted takes minutes
  expect(performance.now() - startMs).toBeLessThan(2_000);
});
