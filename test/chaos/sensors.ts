import { createDice, type Dice, hourMs } from '../fixtures/random-model.ts';

/** A message of a sensor: one feature of one stream at one time. */
export interface SensorMessage {
  readonly stream: string;
  /** Which of the two features, and of the two topics. */
  readonly feature: number;
  /** Hours since the first. */
  readonly hour: number;
  readonly payload: string;
}

export const featureKeys = ['temp', 'pressure'] as const;
export const topics = ['plant/{stream}/air', 'plant/{stream}/gauge'] as const;
const firstMs = Date.UTC(2013, 0);
/** How far back a reading may be that comes late, or again. */
const farthestBack = 30;
/** Beyond the model's limit of missing frames too. */
const longestSilence = 12;

function streamName(index: number): string {
  return `s${index}`;
}

export function hourOf(timeMs: number): number {
  return Math.floor((timeMs - firstMs) / hourMs);
}

/** Readings of many streams for ever, the same for a seed: in each hour every stream once, in another order, of each the two
 * features; some are silent for hours, some values are missing, some messages come again or late. */
export function* createSensors(seed: number, streams: number): Generator<SensorMessage, never, void> {
  const dice = createDice(seed);
  const order = Array.from({ length: streams }, (_, stream) => stream);
  /** The hour at which each stream speaks again. */
  const silentUntil = new Int32Array(streams);
  for (let hour = 0; ; hour++) {
    shuffle(order, dice);
    for (const stream of order) {
      if (dice.chance(0.005)) silentUntil[stream] = hour + dice.int(1, longestSilence);
      if (hour >= silentUntil[stream]) yield* speak(stream, hour, dice);
    }
  }
}

/** One whole frame of every stream, later than all before it. */
export function* lastWords(streams: number, hour: number): Generator<SensorMessage, void, void> {
  for (let stream = 0; stream < streams; stream++) {
    yield messageOf(stream, 0, hour);
    yield messageOf(stream, 1, hour);
  }
}

function* speak(stream: number, hour: number, dice: Dice): Generator<SensorMessage, void, void> {
  for (const feature of dice.chance(0.5) ? [0, 1] : [1, 0]) {
    // left out, so that the frame waits for the next one to close it, or comes late
    if (dice.chance(0.01)) continue;
    yield messageOf(stream, feature, hour);
  }
  if (dice.chance(0.03)) {
    yield messageOf(stream, dice.int(0, 1), Math.max(0, hour - dice.int(0, farthestBack)));
  }
}

function messageOf(stream: number, feature: number, hour: number): SensorMessage {
  // a reading of an hour is the same however often it is sent
  const own = createDice(stream * 7_919 + hour * 2 + feature);
  const atMs = firstMs + hour * hourMs + own.int(0, 59) * 60_000;
  const value = own.chance(0.02) ? null : 20 * (feature + 1) + 6 * own.next() - 3;
  const payload = `{"time":"${new Date(atMs).toISOString()}","${featureKeys[feature]}":${value}}`;
  return { stream: streamName(stream), feature, hour, payload };
}

function shuffle(order: number[], dice: Dice): void {
  for (let i = order.length - 1; i > 0; i--) {
    const other = dice.int(0, i);
    [order[i], order[other]] = [order[other], order[i]];
  }
}
