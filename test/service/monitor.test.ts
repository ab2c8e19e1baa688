import { describe, expect, test } from 'vitest';
import { createMonitor } from '../../src/service/monitor.ts';
import { createStreamViews } from '../../src/service/stream-views.ts';
import type { Outcome } from '../../src/stream/encode.ts';
import { createTinyEngine, hourMs, startMs } from '../stream/tiny-engine.ts';

const engine = createTinyEngine();
const firstSlot = startMs / hourMs;
const everything = { filter: '', target: 0, stream: '' };

/** A monitor that watches sessions. */
function watch({ charted = true } = {}) {
  let nowMs = 1000;
  const monitor = createMonitor({
    ...{ model: engine.model, staleAfterMs: 500, charted, maxStreams: 3 },
    now: () => nowMs,
  });
  const sessions = new Map<string, ReturnType<typeof engine.openSession>>();
  return {
    monitor,
    view: createStreamViews(engine, monitor),
    /** A frame of a stream that moves that much wider than the training. */
    wideFrame(stream: string, factor: number) {
      const timeMs = startMs;
      const values = Float32Array.of(50, 1000);
      const result = engine.openSession(stream).step({ timeMs, values });
      if (result.kind !== 'forecast') throw new Error(result.kind);
      result.factors[0] = factor;
      const answers = [{ frame: { stream, timeMs, values }, result }];
      monitor.noteOutcome({ origin: 'live', answers, stepUs: 1 }, nowMs);
      return result;
    },
    pass(ms: number) {
      nowMs += ms;
    },
    frame(stream: string, hour: number, temp: number, origin: Outcome['origin'] = 'live') {
      const session = sessions.get(stream) ?? engine.openSession(stream);
      sessions.set(stream, session);
      const timeMs = startMs + hour * hourMs;
      const values = Float32Array.of(temp, 1000);
      const result = session.step({ timeMs, values });
      const answers = [{ frame: { stream, timeMs, values }, result }];
      monitor.noteOutcome({ origin, answers, stepUs: 1 }, nowMs);
      return result;
    },
  };
}

describe('the monitor', () => {
  test('shows the newest frame and forecast of each stream, in the order of their names', () => {
    const { frame, view } = watch();
    frame('b10', 0, 50);
    frame('b9', 0, 40);
    const result = frame('b9', 1, 41.5);
    if (result.kind !== 'forecast') throw new Error('no forecast');
    const { rows, matching, detail } = view(everything);
    expect(matching).toBe(2);
    expect(rows.map(({ stream, value, timeMs }) => [stream, value, timeMs])).toEqual([
      ['b9', 41.5, startMs + hourMs],
      ['b10', 50, startMs],
    ]);
    expect(rows[0].forecast.map(({ steps, timeMs }) => [steps, timeMs])).toEqual([
      [1, startMs + 2 * hourMs],
      [3, startMs + 4 * hourMs],
    ]);
    expect(rows[0].forecast.map(({ value }) => Math.fround(value))).toEqual([result.at(1), result.at(3)]);
    expect(detail?.stream).toBe('b9');
    expect(detail?.fan.map(({ steps }) => steps)).toEqual([1, 2, 3]);
  });

  test('shows the interval that was published, of a stream with a scale of its own too', () => {
    const { frame, wideFrame, view } = watch();
    const wide = wideFrame('wide', 3);
    const usual = frame('usual', 0, 50);
    if (usual.kind !== 'forecast') throw new Error(usual.kind);
    expect(wide.high(3) - wide.low(3)).toBeCloseTo(3 * (usual.high(3) - usual.low(3)), 4);
    for (const [stream, { low, high }] of [
      ['wide', wide],
      ['usual', usual],
    ] as const) {
      const fan = view({ ...everything, stream }).detail?.fan ?? [];
      expect(fan.map((point) => Math.fround(point.low ?? 0))).toEqual([1, 2, 3].map((step) => low(step)));
      expect(fan.map((point) => Math.fround(point.high ?? 0))).toEqual([1, 2, 3].map((step) => high(step)));
    }
  });

  test('keeps the history on the time grid, with what had been forecast for it', () => {
    const { frame, view } = watch();
    const answers = [0, 1, 2, 5].map((hour) => frame('a', hour, 50 + hour));
    frame('a', 6, Number.NaN);
    const history = view(everything).detail?.history ?? [];
    expect(history.map(({ timeMs }) => timeMs / hourMs - firstSlot)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(history.map(({ value }) => value)).toEqual([50, 51, 52, null, null, 55, null]);
    const [first, , third] = answers;
    if (first.kind !== 'forecast' || third.kind !== 'forecast') throw new Error('no forecast');
    // one session overwrites its answers: only what the ring copied is left of them
    expect(history[1].forecast[0]).not.toBeNull();
    expect(history[3].forecast).toEqual([expect.any(Number), expect.any(Number)]);
    expect(history[0].forecast).toEqual([null, null]);
  });

  test('forgets what lies behind its window, and a gap longer than that', () => {
    const { frame, view } = watch();
    for (let hour = 0; hour < 300; hour++) frame('a', hour, hour);
    const history = view(everything).detail?.history ?? [];
    expect(history).toHaveLength(120);
    expect(history[0].value).toBe(180);
    frame('a', 10_000, 1);
    expect((view(everything).detail?.history ?? []).map(({ value }) => value)).toEqual([1]);
  });

  test('scores live forecasts beside persistence, and none of the history', () => {
    const { frame, view } = watch();
    for (let hour = 0; hour < 5; hour++) frame('a', hour, 50, 'history');
    expect(view(everything).rows[0]).toMatchObject({ n: 0, mae: null, persistenceMae: null });
    frame('a', 5, 50);
    frame('a', 6, 53);
    expect(view(everything).rows[0]).toMatchObject({ n: 1, persistenceMae: 3 });
    expect(view(everything).detail?.errors.map(({ steps, n }) => [steps, n])).toEqual([
      [1, 1],
      [3, 0],
    ]);
  });

  test('shows and scores no value that the engine takes for missing', () => {
    const { frame, view } = watch();
    for (const [hour, temp] of [50, 51, 1e24, 52].entries()) frame('a', hour, temp);
    expect(view(everything).detail?.history.map(({ value }) => value)).toEqual([50, 51, null, 52]);
    expect(view(everything).rows[0].persistenceMae).toBeLessThan(2);
  });

  test('marks streams that are silent for too long, by the clock', () => {
    const { frame, view, pass, monitor } = watch();
    frame('a', 0, 50);
    expect(view(everything).rows[0].health).toBe('cold');
    pass(501);
    expect(view(everything).rows[0].health).toBe('stale');
    expect(monitor.countStale()).toBe(1);
    frame('a', 1, 50);
    expect(view(everything).rows[0].health).toBe('cold');
  });

  test('shows what the broker had kept until a live frame comes, of no more streams than there may be', () => {
    const { frame, view, monitor } = watch();
    for (const stream of ['a', 'b', 'c', 'd']) {
      monitor.noteRetained([{ stream, feature: 0, timeMs: startMs, value: 7 }]);
    }
    expect(view(everything)).toMatchObject({ matching: 3 });
    expect(view(everything).rows[0]).toMatchObject({
      value: 7,
      retained: true,
      health: 'silent',
      forecast: [],
    });
    frame('a', 3, 9);
    monitor.noteRetained([{ stream: 'a', feature: 0, timeMs: startMs, value: 7 }]);
    expect(view(everything).rows[0]).toMatchObject({ value: 9, retained: false });
  });

  test('finds streams by a part of their names, and looks at the one that is asked for', () => {
    const { frame, view } = watch();
    for (const stream of ['North boiler', 'South boiler', 'Pump']) frame(stream, 0, 1);
    const query = { filter: 'BOIL', target: 0, stream: 'Pump' };
    expect(view(query)).toMatchObject({ matching: 2, detail: { stream: 'Pump' } });
    expect(view({ ...query, stream: 'none' }).detail).toBeNull();
    expect(view({ ...query, stream: '', target: 99 }).detail?.target).toBe('temp');
  });

  test('keeps no history that nobody can look at', () => {
    const { frame, view } = watch({ charted: false });
    frame('a', 0, 50);
    expect(view(everything)).toMatchObject({ rows: [{ value: 50 }], detail: { history: [] } });
  });
});
