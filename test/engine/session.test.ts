import { describe, expect, test } from 'vitest';
import { createArena } from '../../src/engine/arena.ts';
import type { Forecast } from '../../src/engine/forecast.ts';
import { FrameError } from '../../src/engine/frame-error.ts';
import { createSession } from '../../src/engine/session.ts';
import { createModel, hourMs } from '../fixtures/random-model.ts';
import { bits, firstSlot, randomFrames, steadyFrames } from './streams.ts';

const model = createModel({ weights: 'int8', phases: 2, lags: [1, 2], channels: ['LGA'] });
const frames = steadyFrames(2, model, 20);

describe('a session', () => {
  test('shares the model with others, and no state', () => {
    const [mixed, alone] = [createSession(model, ''), createSession(model, '')];
    const noise = [createSession(model, ''), createSession(model, 'LGA')];
    const others = noise.map((_, s) => randomFrames(50 + s, model, frames.length));
    frames.forEach((frame, i) => {
      const expected = bits((alone.step(frame) as Forecast).values);
      noise[0].step(others[0][i]);
      const answer = bits((mixed.step(frame) as Forecast).values);
      noise[1].step(others[1][i]);
      expect(answer).toBe(expected);
    });
    expect(bits(mixed.state())).toBe(bits(alone.state()));
    expect(bits(mixed.state())).not.toBe(bits(noise[0].state()));
  });

  test('overwrites its result with the next call', () => {
    const session = createSession(model, 'JFK');
    const first = session.step(frames[0]) as Forecast;
    const kept = first.values.slice();
    const second = session.step(frames[1]);
    expect(second).toBe(first);
    expect(first.values).not.toEqual(kept);
    expect([first.stream, first.timeMs]).toEqual(['JFK', frames[1].timeMs]);
  });

  test('takes the bias and the scaler of its channel', () => {
    const [known, unknown] = ['LGA', 'JFK'].map(
      (name) => createSession(model, name).step(frames[0]) as Forecast,
    );
    expect(bits(known.values)).not.toBe(bits(unknown.values));
  });

  test('takes any list of numbers, rounded to float32', () => {
    const results = [Float64Array.of(20.1, 40.2), Float32Array.of(20.1, 40.2), [20.1, 40.2]].map((values) => {
      const session = createSession(model, '');
      return bits((session.step({ timeMs: 0, values }) as Forecast).values);
    });
    expect(new Set(results).size).toBe(1);
  });

  test('says late for a frame of a slot that it has stepped', () => {
    const session = createSession(model, '');
    session.step(frames[3]);
    const before = bits(session.state());
    expect(session.step(frames[2]).kind).toBe('late');
    expect(session.step({ timeMs: frames[3].timeMs + hourMs - 1, values: [0, 0] }).kind).toBe('late');
    expect(bits(session.state())).toBe(before);
  });

  test('says pending until a segment is full, answers, and starts over', () => {
    const segment = createModel({ segment: 3, lags: [1], averages: [] });
    const session = createSession(segment, '');
    const kinds = steadyFrames(2, segment, 7).map((frame) => session.step(frame).kind);
    expect(kinds).toEqual(['pending', 'pending', 'forecast', 'pending', 'pending', 'forecast', 'pending']);
  });

  test('starts each segment from a zero state', () => {
    const segment = createModel({ segment: 3, lags: [1], averages: [] });
    const list = steadyFrames(2, segment, 7);
    const [long, short] = [createSession(segment, ''), createSession(segment, '')];
    for (const frame of list.slice(0, 6)) long.step(frame);
    expect(long.state().every((value) => value === 0)).toBe(true);
    // the frame before, for the differences; then the state is cleared by the end of its own segment
    for (const frame of list.slice(3, 6)) short.step(frame);
    expect(bits(long.state())).toBe(bits(short.state()));
    long.step(list[6]);
    short.step(list[6]);
    expect(bits(long.state())).toBe(bits(short.state()));
    expect(long.state().some((value) => value !== 0)).toBe(true);
  });

  test('forgets everything with reset', () => {
    const session = createSession(model, '');
    const first = frames.map((frame) => bits((session.step(frame) as Forecast).values));
    session.reset();
    expect(session.state().every((value) => value === 0)).toBe(true);
    expect(frames.map((frame) => bits((session.step(frame) as Forecast).values))).toEqual(first);
  });

  test('hands out copies of its state', () => {
    const session = createSession(model, '');
    session.step(frames[0]);
    session.state().fill(99);
    expect(session.state()).not.toContain(99);
  });
});

describe('a frame that cannot be one', () => {
  const session = createSession(model, '');

  test.each([
    [[], '0 values, expected 2'],
    [[1], '1 values, expected 2'],
    [[1, 2, 3], '3 values, expected 2'],
  ])('of values %j is refused', (values, message) => {
    expect(() => session.step({ timeMs: 0, values })).toThrow(new FrameError(message));
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -8.65e15, 1e300])('at time %d is refused', (timeMs) => {
    const attempt = () => session.step({ timeMs, values: [1, 2] });
    expect(attempt).toThrow(FrameError);
    expect(attempt).toThrow(`time ${timeMs}, expected milliseconds since 1970`);
  });

  test('leaves the session as it was', () => {
    const fresh = createSession(model, '');
    expect(() => fresh.step({ timeMs: firstSlot * hourMs, values: [1] })).toThrow(FrameError);
    expect(fresh.step({ timeMs: firstSlot * hourMs, values: [1, 2] }).kind).toBe('forecast');
  });
});

describe('what a tired person hands in', () => {
  test('a null among the values is missing, not zero', () => {
    const [ours, theirs] = [createSession(model, 'a'), createSession(model, 'b')];
    const frame = (timeMs: number, first: unknown) => {
      const values: unknown[] = Array.from({ length: model.input.features }, (_, k) => 20 + k);
      values[0] = first;
      return { timeMs, values: values as number[] };
    };
    for (let i = 0; i < 3; i++) {
      const timeMs = (firstSlot + i) * hourMs;
      ours.step(frame(timeMs, i === 1 ? null : 20));
      theirs.step(frame(timeMs, i === 1 ? Number.NaN : 20));
    }
    expect(bits(ours.state())).toEqual(bits(theirs.state()));
  });

  test('a step or target that the model does not have is refused', () => {
    const answer = createSession(model, 'a').step({
      timeMs: firstSlot * hourMs,
      values: new Array(model.input.features).fill(20),
    }) as Forecast;
    const { steps, targets } = model.output;
    for (const step of [0, steps + 1, 1.5, Number.NaN]) {
      expect(() => answer.at(step)).toThrow(new RangeError(`step ${step}, expected 1..${steps}`));
      expect(() => answer.low(step)).toThrow(RangeError);
    }
    expect(() => answer.high(1, targets.length)).toThrow(/^target \d+, expected 0\.\./);
  });

  test('a frame beyond the limit of a batch is refused, and the batch is whole', () => {
    const arena = createArena(model, 2);
    const values = new Array(model.input.features).fill(20);
    const put = (stream: string) => arena.normalize(arena.open(stream), firstSlot * hourMs, values);
    put('a');
    put('b');
    expect(() => put('c')).toThrow(new FrameError('a frame beyond the 2 of a batch: predict first'));
    arena.predict();
    expect(arena.denormalize(1).kind).toBe('forecast');
  });
});
