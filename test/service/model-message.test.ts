import { expect, test } from 'vitest';
import type { Delivery } from '../../src/mqtt/intake.ts';
import { listenForModels, mostTopicBytes } from '../../src/service/model-message.ts';
import type { Offer } from '../../src/service/model-queue.ts';

function listen() {
  const offers: Offer[] = [];
  let deliver = (_: Delivery) => {};
  const link = {
    onMessage(handler: (delivery: Delivery) => void) {
      deliver = handler;
      return () => {};
    },
  };
  listenForModels(link, 'models', (offer) => offers.push(offer));
  return {
    offers,
    take: (payload: Uint8Array, changes: Partial<Delivery> = {}) =>
      deliver({ topic: 'models', payload, retain: false, dup: false, id: 1, ...changes }),
  };
}

test('a model on the topic is offered, and asked for unless it is a replay', () => {
  const { offers, take } = listen();
  take(Buffer.from('new'));
  take(Buffer.from('kept'), { retain: true });
  take(Buffer.from('other'), { topic: 'models/status' });
  // what a broker keeps no more
  take(Buffer.alloc(0));
  expect(offers.map(({ bytes, isAsked }) => [Buffer.from(bytes()).toString(), isAsked])).toEqual([
    ['new', true],
    ['kept', false],
  ]);
});

test('a model is not held in what the connection has read', () => {
  const { offers, take } = listen();
  const read = Buffer.alloc(1_000_000, 'a');
  take(read.subarray(0, mostTopicBytes));
  read.fill('b');
  const bytes = offers[0].bytes();
  expect(bytes.buffer.byteLength).toBe(mostTopicBytes);
  expect(bytes.every((byte) => byte === 0x61)).toBe(true);
});

test('of a model that is too large its size is kept and nothing else', async () => {
  const { offers, take } = listen();
  const read = (() => {
    const { buffer } = new Uint8Array(mostTopicBytes + 1);
    take(Buffer.from(buffer));
    return new WeakRef(buffer);
  })();
  take(Buffer.alloc(0), { skippedBytes: 20_000_000 });
  // a weak reference holds for as long as its turn lasts
  await new Promise(setImmediate);
  global.gc?.();
  expect(read.deref()).toBeUndefined();
  expect(offers[0].bytes).toThrow('a message of 262145 bytes, expected at most 262144');
  expect(offers[1].bytes).toThrow('a message of 20000000 bytes, expected at most 262144');
});
