import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { afterAll, describe, expect, test } from 'vitest';
import { createArena } from '../../src/engine/arena.ts';
import { createSession, type RawFrame } from '../../src/engine/session.ts';
import { createModel, hourMs, type ModelShape } from '../fixtures/random-model.ts';
import { firstSlot } from './streams.ts';

const shapes: readonly (readonly [string, Partial<ModelShape>])[] = [
  ['an int8 LSTM', { weights: 'int8' }],
  [
    'an int8 polyphase LSTM with a mask, quantiles and a highway',
    {
      weights: 'int8',
      phases: 3,
      lags: [1, 2, 3],
      highway: 'all',
      mask: true,
      quantiles: [0.1, 0.5, 0.9],
      swing: true,
    },
  ],
  [
    'an int8 LSTM that fills gaps and learns the scale of its streams',
    { weights: 'int8', highway: 'all', fill: true, streams: ['known'] },
  ],
  ['a wide LSTM of two layers, output last', { weights: 'wide', layers: 2, segment: 4 }],
  ['a float LSTM with channels', { channels: ['LGA'], highway: 'own', groups: 'each' }],
  [
    'an int8 LSTM on plain values',
    { weights: 'int8', lags: [], averages: [], plain: true, plainOutput: true },
  ],
  ['a GRU', { cell: 'gru' }],
  ['a plain cell of two layers', { cell: 'rnn', layers: 2 }],
  ['a window', { cell: 'feedforward' }],
  ['a highway alone', { cell: 'none' }],
];

// A number handed to a function or back lies on the heap, unless the compiler inlines the call, which it may or may not.
// Here it never does.
setFlagsFromString('--no-turbo-inlining');

const STEPS = 20_000;
/** Warming up, then measuring: the compiler needs some rounds before it stops boxing numbers. */
const ROUNDS = 15;

/** The times of frames with a gap here and there. As `unknown`, so that V8 keeps them on the heap already: else it
 * boxes each time stamp anew on its way into the step, which is the caller's doing. */
const times: unknown[] = [null];
for (let i = 0; times.length <= STEPS; i++) if (i % 50 !== 0) times.push((firstSlot + i) * hourMs + 0.25);

const frame = { timeMs: null as unknown, values: new Float32Array(2) };

function nextFrame(i: number): RawFrame {
  frame.timeMs = times[i];
  frame.values[0] = 20 + (i % 17);
  frame.values[1] = i % 13 === 0 ? Number.NaN : 40 + (i % 7);
  return frame as RawFrame;
}

const collections: PerformanceEntry[] = [];
const observer = new PerformanceObserver((list) => {
  collections.push(...list.getEntries());
});
observer.observe({ entryTypes: ['gc'] });
afterAll(() => observer.disconnect());

/** Bytes that a call leaves on the heap, garbage or not: the least of several rounds, because compiling takes some. */
async function bytesPerStep(round: () => void): Promise<number> {
  const gc = globalThis.gc as () => void;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ROUNDS && least > 0.5; i++) {
    gc();
    const start = performance.now();
    const before = process.memoryUsage().heapUsed;
    round();
    const bytes = process.memoryUsage().heapUsed - before;
    const end = performance.now();
    // the observer hears of a collection a turn later
    for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate);
    const isCollected = collections.some(({ startTime }) => startTime > start && startTime < end);
    if (!isCollected) least = Math.min(least, bytes / STEPS);
  }
  return least;
}

describe.each(shapes)('the step of %s', (_name, shape) => {
  const model = createModel(shape);

  test('allocates nothing in a session', async () => {
    const session = createSession(model, 'LGA');
    const bytes = await bytesPerStep(() => {
      session.reset();
      for (let i = 1; i <= STEPS; i++) session.step(nextFrame(i));
    });
    expect(bytes).toBeLessThan(1);
  });

  test('allocates nothing in batches', async () => {
    const streams = 20;
    const cycles = STEPS / streams;
    const arena = createArena(model);
    const slots = Array.from({ length: streams }, (_, s) => arena.open(`s${s}`));
    const bytes = await bytesPerStep(() => {
      for (const slot of slots) arena.reset(slot);
      for (let i = 1; i <= cycles; i++) {
        const { timeMs, values } = nextFrame(i);
        for (let s = 0; s < streams; s++) arena.normalize(slots[s], timeMs, values);
        arena.predict();
        for (let s = 0; s < streams; s++) arena.denormalize(s);
      }
    });
    expect(bytes).toBeLessThan(1);
  });
});

test.each([1, 100])(
  'the measure sees an allocation of %i numbers, collected in between or not',
  async (length) => {
    const session = createSession(createModel(), '');
    const kept: unknown[] = [null];
    const bytes = await bytesPerStep(() => {
      session.reset();
      for (let i = 1; i <= STEPS; i++) kept[0] = [session.step(nextFrame(i)), new Array(length).fill(i)];
    });
    expect(bytes).toBeGreaterThan(15);
  },
);
