import { expect, test } from 'vitest';
import { loadModel } from '../../src/engine/engine.ts';
import { findDifferences } from '../chaos/reference.ts';
import { createDice } from '../fixtures/random-model.ts';
import { openLink, type TestLink } from '../mqtt/links.ts';
import { describeWithMosquitto } from '../mqtt/mosquitto.ts';
import { until } from '../mqtt/until.ts';
import { createTinyEngine, writeTinyModel } from '../stream/tiny-engine.ts';
import { type DurablePlant, openDurablePlant, readLog, totalOf, untilCounted } from './durable-plant.ts';
import { openKeptRoad, openTestRoad } from './kept-road.ts';
import type { RunProcess } from './run-process.ts';

/** Short, so that frames close while the numbers come. */
const periodMs = 100;
const { input } = createTinyEngine().model;
const model = writeTinyModel({ input: { ...input, periodMs } });
const streams = 10;
const features = ['temp', 'pressure'];

interface NumbersPlant extends DurablePlant {
  /** Publishes the numbers from..to-1, each of them once; resolves when the broker has them. */
  say(from: number, to: number): Promise<void>;
}

/** Sensors that say plain numbers at QoS 1, a topic each. */
async function openNumbersPlant(): Promise<NumbersPlant> {
  const plant = await openDurablePlant({
    model,
    reading: 'subscribe: [{ topic: "sensors/{stream}/{feature}", format: number }]\ncombine: mean',
  });
  const sensors = await openLink({ url: plant.broker.url });
  return Object.assign(plant, {
    async say(from: number, to: number) {
      await Promise.all(Array.from({ length: to - from }, (_, i) => sayNumber(sensors, from + i)));
    },
  });
}

function sayNumber({ link }: TestLink, number: number): Promise<void> {
  const topic = `sensors/s${number % streams}/${features[Math.floor(number / streams) % 2]}`;
  return new Promise((resolve, reject) => {
    link.publish(topic, String(number), { qos: 1, retain: false }, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}

async function untilLogged(folder: string, count: number): Promise<void> {
  await until(async () => (await readLog(folder)).length >= count, 20_000);
}

/** Every number has changed a state once, and the states are those that the log leads to. */
async function expectOnce(folder: string, count: number): Promise<void> {
  const logged = await readLog(folder);
  const found = logged.map(({ value }) => value).sort((one, next) => one - next);
  expect(found).toEqual(Array.from({ length: count }, (_, number) => number));
  const engine = await loadModel(model);
  const kept = await openKeptRoad(folder, engine, { combine: 'mean' });
  const reference = openTestRoad(engine, { combine: 'mean', history: [logged] });
  expect(kept.memory.table.streams.size).toBe(streams);
  expect(findDifferences(kept.memory, reference.memory)).toEqual([]);
  await kept.keeper.close();
}

describeWithMosquitto('numbers without a time', () => {
  test('that were on disk when the service was killed are duplicates when they come again', async () => {
    const { wire, start, say, stateFolder } = await openNumbersPlant();
    const round = 200;
    let run = await start();
    for (let kill = 1; kill <= 5; kill++) {
      // read and on disk, and no acknowledgement gets out
      wire.delay(3_600_000, 'up');
      await say((kill - 1) * round, kill * round);
      await untilLogged(stateFolder, kill * round);
      await run.kill('SIGKILL');
      wire.cut();
      wire.delay(0);
      run = await start();
      await untilCounted(run, round);
      const { readings } = (await run.view()).overview;
      // of those before, acknowledgements may not have come through either
      expect(readings.duplicate).toBeGreaterThanOrEqual(round);
      expect(totalOf({ readings })).toBe(readings.duplicate);
    }
    await run.stop();
    await expectOnce(stateFolder, 5 * round);
  });

  test('that come again when only the connection was lost are duplicates too, also with ack: on-receipt', async () => {
    const { wire, start, say, stateFolder } = await openNumbersPlant();
    const run = await start('commit: 50ms, ack: on-receipt');
    for (let loss = 1; loss <= 3; loss++) {
      wire.delay(3_600_000, 'up');
      await say((loss - 1) * 100, loss * 100);
      await untilLogged(stateFolder, loss * 100);
      wire.cut();
      wire.delay(0);
      await until(async () => (await run.view()).overview.readings.duplicate >= loss * 100, 20_000);
    }
    const { readings } = await run.stop();
    expect(readings.applied + readings.merged).toBe(300);
    expect(totalOf({ readings })).toBe(300 + readings.duplicate);
    await expectOnce(stateFolder, 300);
  });

  test('are read once each, whenever the service is killed under load', async () => {
    const { wire, start, say, stateFolder } = await openNumbersPlant();
    // some acknowledgements are always on their way
    wire.delay(30, 'up');
    const dice = createDice(3);
    let run: RunProcess = await start('commit: 20ms');
    let said = 0;
    let saying = Promise.resolve();
    for (let kill = 0; kill < 8; kill++) {
      const before = (await readLog(stateFolder)).length;
      const next = said + 600;
      saying = say(said, next);
      said = next;
      await untilLogged(stateFolder, before + dice.int(1, 500));
      await run.kill('SIGKILL');
      await saying;
      run = await start('commit: 20ms');
      if (dice.chance(0.5)) await untilLogged(stateFolder, said);
    }
    await untilLogged(stateFolder, said);
    const { readings } = await run.stop();
    expect(totalOf({ readings })).toBe(readings.applied + readings.merged + readings.duplicate);
    await expectOnce(stateFolder, said);
  });
});
