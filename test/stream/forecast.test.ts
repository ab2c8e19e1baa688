import { from, lastValueFrom, Subject, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { createCounters } from '../../src/stream/counters.ts';
import { type ForecastMessage, forecastMessage } from '../../src/stream/encode.ts';
import { forecast, ReadingError, type SensorReading } from '../../src/stream/forecast.ts';
import { createTinyEngine, hourMs, startMs } from './tiny-engine.ts';

const engine = createTinyEngine();
const at = (hour: number) => new Date(startMs + hour * hourMs).toISOString();

function readings(count: number, stream?: string): SensorReading[] {
  return Array.from({ length: count }, (_, hour) => ({
    ...(stream !== undefined && { stream }),
    time: at(hour),
    temp: 50 + Math.sin(hour),
    pressure: hour % 3 === 0 ? null : 1000,
  }));
}

const run = (input: readonly SensorReading[], options = {}) =>
  lastValueFrom(from(input).pipe(forecast(engine, options), toArray()));

/** What a session says to the same readings. */
function expected(input: readonly SensorReading[], stream: string): ForecastMessage[] {
  const session = engine.openSession(stream);
  return input.map((reading) => {
    const { time, temp, pressure } = reading;
    const values = [temp as number, (pressure as number | null) ?? Number.NaN];
    const result = session.step({ timeMs: Date.parse(String(time)), values });
    if (result.kind !== 'forecast') throw new Error('no forecast');
    return forecastMessage({ ...result, stream }, engine);
  });
}

describe('the public operator', () => {
  test('answers every frame with what a session of that stream says', async () => {
    const [a, b] = [readings(30, 'a'), readings(30, 'b').map((one) => ({ ...one, temp: 40 }))];
    const mixed = a.flatMap((reading, i) => [reading, b[i]]);
    const answers = await run(mixed);
    expect(answers.filter(({ stream }) => stream === 'a')).toEqual(expected(a, 'a'));
    expect(answers.filter(({ stream }) => stream === 'b')).toEqual(expected(b, 'b'));
  });

  test('answers before the call that brings a reading returns', () => {
    const source = new Subject<SensorReading>();
    const answers: ForecastMessage[] = [];
    source.pipe(forecast(engine)).subscribe((answer) => answers.push(answer));
    source.next({ time: new Date(startMs), temp: 50, pressure: 1000 });
    expect(answers).toHaveLength(1);
    expect(answers[0]).toMatchObject({ stream: 'default', time: '2013-10-20T00:00:00Z' });
  });

  test('puts features that come apart into one frame', async () => {
    const apart = readings(5).flatMap(({ time, temp, pressure }) => [
      { time, temp },
      { time, pressure },
    ]);
    expect(await run(apart)).toEqual(expected(readings(5), 'default'));
  });

  test('starts every subscription with states of its own', async () => {
    const operator = forecast(engine);
    const once = () => lastValueFrom(from(readings(9)).pipe(operator, toArray()));
    expect(await once()).toEqual(await once());
  });

  test('ends with an error that shows the reading that it cannot use', async () => {
    const bad = [...readings(2), { time: 'noon', temp: 1 }];
    await expect(run(bad)).rejects.toEqual(new ReadingError('bad time: {"time":"noon","temp":1}'));
  });

  test('hands bad readings to whoever wants them, and goes on', async () => {
    const aside: unknown[] = [];
    const counters = createCounters();
    const good = readings(4);
    const bad = { time: at(1), temp: Number.NaN, pressure: 'high' };
    const onMalformed = (reason: string, reading: SensorReading) => aside.push([reason, reading]);
    expect(await run([good[0], bad, ...good.slice(1)], { onMalformed, counters })).toEqual(
      expected(good, 'default'),
    );
    expect(aside).toEqual([
      ['not a number', bad],
      ['not a number', bad],
    ]);
    expect(counters.ended).toMatchObject({ applied: 8, malformed: 2 });
  });

  test('takes times that lie ahead of the clock: a program may forecast what it simulates', async () => {
    expect(await run([{ time: '2999-01-01T00:00:00Z', temp: 1, pressure: 2 }])).toHaveLength(1);
  });
});
