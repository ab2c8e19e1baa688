import { expect, test } from 'vitest';
import type { Durable } from '../../src/service/durable.ts';
import { createModelRoad } from '../../src/service/model-road.ts';
import { createServing } from '../../src/service/serving.ts';
import { createCounters } from '../../src/stream/counters.ts';
import type { Reading, ReadingBatch } from '../../src/stream/decode.ts';
import { createTinyEngine, startMs } from '../stream/tiny-engine.ts';

const engine = createTinyEngine();
const young = { ...createTinyEngine(), id: 'cd'.repeat(32) };

/** A shadow that has read nothing of its log until the test lets it. */
function openShadow() {
  let read = () => {};
  const isRead = new Promise<void>((resolve) => {
    read = resolve;
  });
  async function* recent(): AsyncGenerator<readonly Reading[], void> {
    await isRead;
    yield [];
  }
  const durable: Pick<Durable, 'observer' | 'recent' | 'adopt'> = {
    observer: { before() {}, taken() {}, repeated() {} },
    adopt: async () => {},
    recent,
  };
  const options = { maxStreams: 10, charted: false };
  const road = createModelRoad({
    ...{ ...options, durable, first: createServing(engine, options), counters: createCounters() },
    ...{ onOutcome() {}, arrivedMs: () => 0 },
    onDefect(defect) {
      throw defect;
    },
  });
  const shadow = road.openShadow(young);
  shadow.catch(() => {});
  return { road, shadow, read };
}

/** Readings of a time that has passed: late in any stream after the first, they cost little. */
function batchOf(count: number): ReadingBatch {
  const reading = { stream: 'a', timeMs: startMs, feature: 0, value: 50 };
  return { origin: 'live', readings: Array(count).fill(reading) };
}

test('a shadow ends when more than 500,000 readings wait for it to have read the log', async () => {
  const { road, shadow, read } = openShadow();
  for (let i = 0; i < 2001; i++) road.push(batchOf(250));
  read();
  await expect(shadow).rejects.toThrow('it cannot catch up with the readings that come');
});

test('a shadow catches up with 500,000 readings in however many batches, of which those without any do not wait', async () => {
  const { road, shadow, read } = openShadow();
  for (let i = 0; i < 150_000; i++) {
    road.push(batchOf(3));
    road.push(batchOf(0));
  }
  road.push(batchOf(50_000));
  read();
  const { compare } = await shadow;
  expect(compare().pairs).toBe(0);
});
