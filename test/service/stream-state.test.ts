import { describe, expect, test } from 'vitest';
import { loadModel } from '../../src/engine/engine.ts';
import { writeModelFile } from '../../src/model/format.ts';
import type { StreamRecord } from '../../src/service/stream-records.ts';
import { type KeptStreams, restoreStream, saveStream } from '../../src/service/stream-state.ts';
import { findDifferences } from '../chaos/reference.ts';
import { createDice, createRandomModel, type Dice, hourMs } from '../fixtures/random-model.ts';
import { createRoadMemory, openTestRoad, type TestReading, type TestRoad } from './kept-road.ts';

// LGA and JFK are channels of some models, ISP a stream with a scale of its own
const streams = ['LGA', 'JFK', 'ISP', 'attic', ''];

function* readings(dice: Dice, features: number): Generator<TestReading, never, void> {
  for (let hour = 400_000; ; hour += dice.pick([1, 1, 1, 1, 2, 30])) {
    for (const stream of streams) {
      for (let feature = 0; feature < features; feature++) {
        if (dice.chance(0.1)) continue;
        const value = dice.chance(0.1) ? Number.NaN : Math.fround(20 * (feature + 1) + 6 * dice.next());
        yield { stream, feature, timeMs: (hour + dice.pick([0, 0, 0, 0.5])) * hourMs, value };
      }
    }
  }
}

function take<T>(from: Iterator<T>, count: number): T[] {
  return Array.from({ length: count }, () => from.next().value as T);
}

function saveAll({ memory, monitor }: KeptStreams): Uint8Array[] {
  return [...memory.table.streams.values()].map((stream) => saveStream(stream, { memory, monitor }));
}

const answersOf = ({ monitor }: TestRoad) =>
  [...monitor.names()].map((name) => {
    const { stream, answer, answeredMs, health, factors } = monitor.find(name) as StreamRecord;
    return { ...{ stream, answeredMs, health, factors: [...factors] }, answer: answer && [...answer] };
  });

describe('the state of a stream', () => {
  test.each(Array.from({ length: 24 }, (_, seed) => seed))(
    'of any model goes on from its bytes as if nothing had been, seed %i',
    async (seed) => {
      const engine = await loadModel(writeModelFile(createRandomModel(seed)));
      const options = { latenessMs: seed % 3 === 0 ? 2 * hourMs : 0 };
      const source = readings(createDice(seed), engine.model.input.features);
      const road = openTestRoad(engine, options);
      road.push(take(source, 150));
      const kept = createRoadMemory(engine, options);
      for (const state of saveAll(road)) restoreStream(state, kept, engine.model, true);
      expect(findDifferences(kept.memory, road.memory)).toEqual([]);
      const restored = openTestRoad(engine, options, kept);
      expect(answersOf(restored)).toEqual(answersOf(road).filter(({ answer }) => answer !== undefined));
      const later = take(source, 150);
      road.push(later);
      restored.push(later);
      expect(findDifferences(restored.memory, road.memory)).toEqual([]);
      expect(answersOf(restored)).toEqual(answersOf(road));
    },
  );

  test('of another shape is refused with what was found and expected', async () => {
    const [small, large] = await Promise.all(
      [5, 9].map((hidden) => loadModel(writeModelFile(createRandomModel(2, { hidden, cell: 'lstm' })))),
    );
    const road = openTestRoad(small);
    road.push(take(readings(createDice(1), small.model.input.features), 40));
    const [state] = saveAll(road);
    expect(() => restoreStream(state, createRoadMemory(large), large.model, true)).toThrow(
      /^\d+ bytes of the slot of LGA, expected \d+$/,
    );
    expect(() => restoreStream(new Uint8Array(0), createRoadMemory(small), small.model, true)).toThrow(
      /^0 bytes of the slot of , expected \d+$/,
    );
  });
});
