import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createArena } from '../../src/engine/arena.ts';
import type { StepResult } from '../../src/engine/forecast.ts';
import { createSession } from '../../src/engine/session.ts';
import type { Model } from '../../src/model/model.ts';
import {
  createDice,
  createModel,
  createRandomModel,
  type ModelShape,
  streamNames,
} from '../fixtures/random-model.ts';
import { bits, randomFrames } from './streams.ts';

/** All that a result says, as text. */
function describeResult(result: StepResult): string {
  if (result.kind !== 'forecast') return result.kind;
  const { stream, timeMs, health, values } = result;
  return `${stream} at ${timeMs}, ${health}: ${bits(values)}`;
}

/** Runs the same frames through one arena, in random batches, and through a session each.
 * @returns how many of the frames were answered */
function compareBatches(model: Model, seed: number, batchLimit?: number): number {
  const dice = createDice(seed);
  const arena = createArena(model, batchLimit);
  const streams = ['unknown', ...streamNames].map((name, s) => ({
    name,
    session: createSession(model, name),
    frames: randomFrames(seed + s, model, dice.int(20, 60)),
    // some come much later than others, when the memory has been in use
    appears: dice.chance(0.5) ? 0 : dice.int(1, 40),
    next: 0,
  }));
  let answered = 0;
  for (let round = 0; streams.some(({ next, frames }) => next < frames.length); round++) {
    const present = streams.filter(({ appears, next, frames }) => round >= appears && next < frames.length);
    const chosen = present.filter(() => dice.chance(0.6)).slice(0, arena.batchLimit);
    const expected: string[] = [];
    for (const stream of chosen) {
      const frame = stream.frames[stream.next++];
      const single = describeResult(stream.session.step(frame));
      const status = arena.normalize(arena.open(stream.name), frame.timeMs, frame.values);
      expect(status).toBe(single === 'late' ? 'late' : 'ready');
      if (status === 'ready') expected.push(single);
    }
    if (expected.length === 0) continue;
    expect(arena.size).toBe(expected.length);
    arena.predict();
    expect(expected.map((_, i) => describeResult(arena.denormalize(i)))).toEqual(expected);
    answered += expected.length;
  }
  for (const { name, session } of streams) {
    expect(bits(arena.state(arena.open(name)))).toBe(bits(session.state()));
  }
  return answered;
}

const shapes: readonly (readonly [string, Partial<ModelShape>])[] = [
  ['int8 polyphase', { weights: 'int8', phases: 4, lags: [1, 2, 3, 4], averages: [4, 28] }],
  ['wide int8 of three layers', { weights: 'wide', layers: 3 }],
  ['int8 with a wide layer between two', { weights: 'mixed', layers: 3 }],
  ['channels with a highway each', { channels: ['LGA', 'EWR'], highway: 'own', groups: 'each' }],
  ['a highway of all features and a mask', { weights: 'int8', highway: 'all', mask: true, targets: [1, 0] }],
  [
    'plain values',
    { weights: 'int8', targets: [1, 0], lags: [], averages: [], plain: true, plainOutput: true },
  ],
  ['quantiles', { cell: 'gru', quantiles: [0.1, 0.5, 0.9], swing: true }],
  ['output last', { weights: 'int8', segment: 5 }],
  ['a window', { cell: 'feedforward', lags: [1, 2, 3, 4, 5], layers: 2 }],
  ['a plain cell', { cell: 'rnn', layers: 2, phases: 2, lags: [1, 2] }],
  ['a highway alone', { cell: 'none', highway: 'all' }],
];

test.each(shapes)('a batch gives every stream the bits of its own session: %s', (_name, shape) => {
  expect(compareBatches(createModel(shape), 7)).toBeGreaterThan(80);
});

test('a batch gives every stream the bits of its own session: any model, any order, any size', () => {
  fc.assert(
    fc.property(fc.integer(), fc.constantFrom(1, 2, 256), (seed, batchLimit) => {
      expect(compareBatches(createRandomModel(seed), seed, batchLimit)).toBeGreaterThan(40);
    }),
    { seed: 1, numRuns: 60 },
  );
});

test('a batch may hold many streams more than the arena had room for at first', () => {
  const model = createModel({ weights: 'int8', phases: 2, lags: [1, 2] });
  const arena = createArena(model);
  const frames = Array.from({ length: 200 }, (_, s) => randomFrames(s, model, 6));
  const sessions = frames.map((_, s) => createSession(model, `s${s}`));
  for (let i = 0; i < 6; i++) {
    const expected = frames.map((list, s) => describeResult(sessions[s].step(list[i])));
    frames.forEach((list, s) => {
      arena.normalize(arena.open(`s${s}`), list[i].timeMs, list[i].values);
    });
    arena.predict();
    const ready = expected.filter((result) => result !== 'late');
    expect(ready.map((_, at) => describeResult(arena.denormalize(at)))).toEqual(ready);
  }
});
