import { expect, test } from 'vitest';
import { openTestRoad, type TestReading } from '../service/kept-road.ts';
import { createTinyEngine } from '../stream/tiny-engine.ts';
import { findDifferences } from './reference.ts';
import { createSensors, hourOf, lastWords } from './sensors.ts';
import { createTally } from './tally.ts';

const firstMs = Date.UTC(2013, 0);

function readings(count: number): TestReading[] {
  return Array.from({ length: count }, (_, i) => ({
    ...{ stream: `s${i % 3}`, feature: i % 2, value: Math.fround(i / 7) },
    timeMs: firstMs + Math.floor(i / 6) * 3_600_000,
  }));
}

function changed(all: readonly TestReading[], at: number, value: number): TestReading[] {
  return all.map((reading, i) => (i === at ? { ...reading, value } : reading));
}

function tallyOf(all: readonly TestReading[]) {
  const tally = createTally(3);
  for (const reading of all) tally.note(reading);
  return tally;
}

test('a tally notices what is missing, too often or another value', () => {
  const all = readings(60);
  const expected = tallyOf(all);
  expect(tallyOf(all).compare(expected)).toEqual({ lost: 0, doubled: 0 });
  expect(tallyOf(all.slice(0, -2)).compare(expected)).toEqual({ lost: 2, doubled: 0 });
  expect(tallyOf(all.slice(3)).compare(expected)).toEqual({ lost: 3, doubled: 0 });
  expect(tallyOf([...all, all[5], all[5]]).compare(expected)).toEqual({ lost: 0, doubled: 2 });
  expect(tallyOf(changed(all, 4, Number.NaN)).compare(expected)).toEqual({
    lost: 1,
    doubled: 0,
  });
  expect(tallyOf(readings(66)).compare(expected)).toEqual({ lost: 0, doubled: 6 });
});

test('a state that lacks one reading, or has another one, is found', () => {
  const engine = createTinyEngine();
  const all = readings(60);
  const memoryOf = (given: readonly TestReading[]) => {
    const road = openTestRoad(engine);
    road.push(given);
    return road.memory;
  };
  const expected = memoryOf(all);
  expect(findDifferences(memoryOf(all), expected)).toEqual([]);
  // an open frame only
  expect(findDifferences(memoryOf(all.slice(0, -1)), expected)).toEqual(['s2']);
  expect(findDifferences(memoryOf(all.filter((_, i) => i !== 6)), expected)).toEqual(['s0']);
  expect(findDifferences(memoryOf(changed(all, 10, 3)), expected)).toEqual(['s1']);
  expect(findDifferences(memoryOf(all.filter(({ stream }) => stream !== 's2')), expected)).toEqual(['s2']);
});

test('the sensors say the same for a seed, come again and late, and end with a whole frame of each', () => {
  const [first, second] = [createSensors(4, 50), createSensors(4, 50)];
  const seen = new Set<string>();
  let again = 0;
  let newest = 0;
  let late = 0;
  for (let i = 0; i < 20_000; i++) {
    const message = first.next().value;
    expect(second.next().value).toEqual(message);
    const key = `${message.stream} ${message.payload}`;
    if (seen.has(key)) again++;
    else if (message.hour < newest) late++;
    seen.add(key);
    newest = Math.max(newest, message.hour);
    expect(hourOf(Date.parse((JSON.parse(message.payload) as { time: string }).time))).toBe(message.hour);
  }
  expect(again).toBeGreaterThan(100);
  expect(late).toBeGreaterThan(5);
  expect([...lastWords(50, newest + 1)]).toHaveLength(100);
});
