import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findDifferences } from '../chaos/reference.ts';
import { createModel } from '../fixtures/random-model.ts';
import { makeFolder } from '../state/folder.ts';
import { createTinyEngine } from '../stream/tiny-engine.ts';
import { openKeptRoad, openTestRoad, type TestReading } from './kept-road.ts';

const minuteMs = 60_000;
const file = new URL('../fixtures/nab/machine-temperature.csv', import.meta.url);
const readings: readonly TestReading[] = readFileSync(file, 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((row) => {
    const [time, value] = row.split(',');
    return {
      stream: 'machine',
      feature: 0,
      timeMs: Date.parse(`${time.replace(' ', 'T')}Z`),
      value: Math.fround(Number(value)),
    };
  });
const stepAt = readings.findIndex(({ timeMs }, i) => i > 0 && timeMs < readings[i - 1].timeMs);
/** Twelve readings that the clock says a second time. */
const again = readings.slice(stepAt, stepAt + 12);
const clean = [...readings.slice(0, stepAt), ...readings.slice(stepAt + 12)];

const { input, ...model } = createModel({
  weights: 'int8',
  phases: 2,
  lags: [1, 2],
  averages: [12],
  features: 1,
});
const engine = createTinyEngine({ ...model, input: { ...input, periodMs: 5 * minuteMs } });

test.each([0, 60])(
  'a clock that steps back 55 minutes steps no state twice, with %i min of lateness',
  async (lateness) => {
    expect(readings[stepAt - 1].timeMs - readings[stepAt].timeMs).toBe(55 * minuteMs);
    const options = { latenessMs: lateness * minuteMs };
    const folder = await makeFolder();
    const road = await openKeptRoad(folder, engine, options);
    for (const reading of readings) road.push([reading]);
    await road.keeper.close();
    expect(road.counters.ended).toMatchObject({ applied: clean.length, duplicate: again.length, late: 0 });
    const undisturbed = openTestRoad(engine, options);
    for (const reading of clean) undisturbed.push([reading]);
    expect(findDifferences(road.memory, undisturbed.memory)).toEqual([]);
    // and none after a restart
    const next = await openKeptRoad(folder, engine, options);
    for (const reading of again) next.push([reading]);
    expect(findDifferences(next.memory, undisturbed.memory)).toEqual([]);
    await next.keeper.close();
  },
);
