import { describe, expect, test } from 'vitest';
import { createForecast } from '../../src/engine/answer.ts';
import { createArena } from '../../src/engine/arena.ts';
import type { Forecast, StepResult } from '../../src/engine/forecast.ts';
import { createSession, type RawFrame } from '../../src/engine/session.ts';
import type { Model } from '../../src/model/model.ts';
import { createDice, createModel, hourMs, type ModelShape } from '../fixtures/random-model.ts';
import { bits, firstSlot, steadyFrames } from './streams.ts';

const shapes: readonly (readonly [string, Partial<ModelShape>])[] = [
  ['an int8 LSTM', { weights: 'int8', layers: 2 }],
  ['a polyphase LSTM', { weights: 'int8', phases: 3, lags: [1, 2, 3], averages: [3, 21], mask: true }],
  ['a GRU with a highway', { cell: 'gru', highway: 'all' }],
  ['output last', { segment: 4 }],
  ['an LSTM on plain values', { weights: 'int8', lags: [], averages: [], plain: true, plainOutput: true }],
  ['a highway alone', { cell: 'none', highway: 'own', mask: true }],
];

/** Steps frames through a session of its own. */
function run(model: Model, frames: readonly RawFrame[]) {
  const session = createSession(model, '');
  const answers = frames.map((frame) => {
    const result = session.step(frame);
    return result.kind === 'forecast' ? bits(result.values) : result.kind;
  });
  return { session, answers, state: bits(session.state()) };
}

const without = <T>(items: readonly T[], missing: readonly number[]) =>
  items.filter((_, i) => !missing.includes(i));

describe.each(shapes)('gaps of %s', (_name, shape) => {
  const model = createModel({ ...shape, gapLimit: 6 });
  const frames = steadyFrames(3, model, 40);

  test('are stepped as frames of missing values, in order', () => {
    const missing = [4, 9, 10, 20, 21, 22, 23, 24, 25];
    const explicit = frames.map((frame, i) =>
      missing.includes(i) ? { ...frame, values: frame.values.map(() => Number.NaN) } : frame,
    );
    const gaps = run(model, without(frames, missing));
    const full = run(model, explicit);
    expect(gaps.answers).toEqual(without(full.answers, missing));
    expect(gaps.state).toBe(full.state);
  });

  test('longer than gapLimit start the stream cold, as if it had no past', () => {
    const before = frames.slice(0, 20);
    const after = frames.slice(27);
    const { session, answers } = run(model, [...before, ...after]);
    const fresh = run(model, after);
    expect(answers.slice(20)).toEqual(fresh.answers);
    expect(bits(session.state())).toBe(fresh.state);
  });

  test('of exactly gapLimit slots do not', () => {
    const joined = run(model, [...frames.slice(0, 20), ...frames.slice(26)]);
    const fresh = run(model, frames.slice(26));
    expect(joined.answers.slice(20)).not.toEqual(fresh.answers);
  });
});

describe('phases', () => {
  const phases = 4;
  const model = createModel({ phases, lags: [1, 2, 3, 4], layers: 2, weights: 'int8' });

  /** Which phases a frame changes. */
  function changedPhases(session: ReturnType<typeof createSession>, frame: RawFrame): number[] {
    const before = session.state();
    session.step(frame);
    const after = session.state();
    const size = before.length / phases;
    const part = (state: Float32Array, p: number) => bits(state.subarray(p * size, (p + 1) * size));
    return [0, 1, 2, 3].filter((p) => part(before, p) !== part(after, p));
  }

  test('follow the time slot: with 5 % of the frames lost, a slot still steps its own phase', () => {
    const dice = createDice(8);
    const session = createSession(model, '');
    let last = firstSlot - 1;
    let lost = 0;
    steadyFrames(4, model, 400).forEach((frame, i) => {
      if (i > 0 && dice.chance(0.05)) {
        lost++;
        return;
      }
      const slot = firstSlot + i;
      // a lost slot steps its own phase with held values, and no other
      const stepped = Array.from({ length: slot - last }, (_, n) => (last + 1 + n) % phases).sort();
      expect(changedPhases(session, frame)).toEqual(stepped);
      last = slot;
    });
    expect(lost).toBeGreaterThan(10);
  });

  test('do not follow the number of messages: a stream that starts a slot later steps another phase', () => {
    const frames = steadyFrames(4, model, 3);
    const [early, late] = [createSession(model, ''), createSession(model, '')];
    expect(changedPhases(early, frames[0])).toEqual([firstSlot % phases]);
    expect(changedPhases(late, frames[1])).toEqual([(firstSlot + 1) % phases]);
  });

  test('are the same before 1970, through zero', () => {
    const session = createSession(model, '');
    const changed = [-5, -4, -3, -2, -1, 0, 1].map((slot) =>
      changedPhases(session, { timeMs: slot * hourMs, values: [20 + slot, 40] }),
    );
    expect(changed.slice(1)).toEqual([[0], [1], [2], [3], [0], [1]]);
  });
});

describe('the arena', () => {
  const model = createModel({ weights: 'int8', gapLimit: 3 });
  const frames = steadyFrames(5, model, 12);

  /** One frame alone in its batch. */
  function stepAlone(
    arena: ReturnType<typeof createArena>,
    slot: number,
    { timeMs, values }: RawFrame,
  ): StepResult {
    const status = arena.normalize(slot, timeMs, values);
    if (status === 'late') return { kind: 'late' };
    arena.predict();
    return arena.denormalize(0);
  }

  test('takes 256 frames a batch', () => {
    expect(createArena(model).batchLimit).toBe(256);
  });

  test('knows a stream by its name', () => {
    const arena = createArena(model);
    const [a, b] = [arena.open('a'), arena.open('b')];
    expect(a).not.toBe(b);
    expect([arena.open('a'), arena.open('b')]).toEqual([a, b]);
  });

  test('begins a new batch after predict, and not before', () => {
    const arena = createArena(model);
    const [a, b] = [arena.open('a'), arena.open('b')];
    arena.normalize(a, frames[0].timeMs, frames[0].values);
    arena.normalize(b, frames[0].timeMs, frames[0].values);
    expect(arena.size).toBe(2);
    arena.predict();
    expect(arena.size).toBe(2);
    arena.normalize(b, frames[1].timeMs, frames[1].values);
    expect(arena.size).toBe(1);
  });

  test('says late for a slot that was stepped, and keeps everything as it was', () => {
    const arena = createArena(model);
    const slot = arena.open('a');
    for (const frame of frames.slice(0, 5)) stepAlone(arena, slot, frame);
    const before = bits(arena.state(slot));
    for (const timeMs of [frames[4].timeMs + 1, frames[3].timeMs]) {
      expect(arena.normalize(slot, timeMs, [99, 99])).toBe('late');
    }
    expect(bits(arena.state(slot))).toBe(before);
    const untouched = createArena(model);
    for (const frame of frames.slice(0, 5)) stepAlone(untouched, untouched.open('a'), frame);
    const next = [arena, untouched].map((one) => bits((stepAlone(one, 0, frames[5]) as Forecast).values));
    expect(next[0]).toBe(next[1]);
  });

  test('resets one stream, and no other', () => {
    const arena = createArena(model);
    const [a, b] = [arena.open('a'), arena.open('b')];
    for (const frame of frames.slice(0, 5)) {
      stepAlone(arena, a, frame);
      stepAlone(arena, b, frame);
    }
    const stateOfB = bits(arena.state(b));
    arena.reset(a);
    expect(arena.state(a).every((value) => value === 0)).toBe(true);
    expect(bits(arena.state(b))).toBe(stateOfB);
    // a time that was late before is its first now
    const fresh = createArena(model);
    const expected = bits((stepAlone(fresh, fresh.open('a'), frames[2]) as Forecast).values);
    expect(bits((stepAlone(arena, a, frames[2]) as Forecast).values)).toBe(expected);
  });

  test('writes a forecast into the one it is given', () => {
    const arena = createArena(model);
    const into = createForecast(model);
    arena.normalize(arena.open('pump'), frames[0].timeMs + 5, frames[0].values);
    arena.predict();
    expect(arena.denormalize(0, into)).toBe(into);
    expect([into.kind, into.stream, into.timeMs]).toEqual(['forecast', 'pump', frames[0].timeMs + 5]);
  });
});

describe('health', () => {
  const healthAt = (model: Model, frames: readonly RawFrame[]) => {
    const session = createSession(model, '');
    return frames.map((frame) => {
      const result = session.step(frame);
      return result.kind === 'forecast' ? result.health : result.kind;
    });
  };
  const model = createModel({ lags: [1, 3], gapLimit: 2 });
  const counts = (list: readonly string[]) =>
    ['cold', 'warming', 'warm'].map((h) => list.filter((x) => x === h).length);

  test('is cold until the longest lag has been seen, warm after four times that', () => {
    const list = healthAt(model, steadyFrames(1, model, 30));
    // the ring holds four frames
    expect(counts(list)).toEqual([3, 12, 15]);
    expect([list[2], list[3], list[14], list[15]]).toEqual(['cold', 'warming', 'warming', 'warm']);
  });

  test('counts filled slots, and starts over with a restart', () => {
    const frames = steadyFrames(1, model, 40);
    expect(healthAt(model, [...frames.slice(0, 2), ...frames.slice(4, 6)]).at(-1)).toBe('warming');
    expect(healthAt(model, [...frames.slice(0, 20), ...frames.slice(23)])[20]).toBe('cold');
  });

  test('of output last is always warm: it is served as it was trained', () => {
    const segment = createModel({ segment: 3 });
    expect(healthAt(segment, steadyFrames(1, segment, 6))).toEqual([
      'pending',
      'pending',
      'warm',
      'pending',
      'pending',
      'warm',
    ]);
  });
});
