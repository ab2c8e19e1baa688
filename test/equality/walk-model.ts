import { createHash } from 'node:crypto';
import type { Dataset } from '../../src/data/dataset.ts';
import type { Arena } from '../../src/engine/arena.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { slotOf } from '../../src/signal/slots.ts';
import { createDice, type Dice, streamNames } from '../fixtures/random-model.ts';

/** Hashes what a model answers, and the states that it ends in. */
interface Walk {
  /** Frames of distinct streams, stepped as one batch. */
  turn(frames: readonly WalkFrame[]): void;
  /** SHA-256 of every bit so far. */
  end(): string;
}

interface WalkFrame {
  readonly stream: string;
  readonly timeMs: number;
  readonly values: ArrayLike<number>;
}

function createWalk({ createArena }: Engine): Walk {
  const arena: Arena = createArena();
  const hash = createHash('sha256');
  const slots = new Set<number>();
  // the bytes of every machine that runs Node are in one order, the low one first
  const take = (floats: Float32Array) =>
    hash.update(new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength));
  return {
    turn(frames) {
      for (const { stream, timeMs, values } of frames) {
        const slot = arena.open(stream);
        slots.add(slot);
        if (arena.normalize(slot, timeMs, values) === 'late') hash.update('late');
      }
      arena.predict();
      for (let i = 0; i < arena.size; i++) {
        const answer = arena.denormalize(i);
        if (answer.kind === 'forecast') take(answer.values);
        else hash.update(answer.kind);
      }
    },
    end() {
      for (const slot of slots) take(arena.state(slot));
      return hash.digest('hex');
    },
  };
}

const turns = 14;

/** Streams that the model knows and does not know, one alone or more than a batch tile holds, in turns that not all of
 * them take part in: with gaps that are filled and gaps that restart, missing values and values far off. */
export function walkRandom(engine: Engine, seed: number): string {
  const dice = createDice(seed ^ 0x57e9);
  const walk = createWalk(engine);
  const { features, periodMs } = engine.model.input;
  const count = dice.pick([1, 2, 3, 4, 5, 7, 8, 9, 17]);
  const streams = Array.from({ length: count }, (_, s) => streamNames[s] ?? `pump-${s}`);
  let slot = 380_000;
  for (let turn = 0; turn < turns; turn++) {
    const frames = streams
      .filter(() => turn === 0 || dice.chance(0.85))
      .map((stream) => ({
        stream,
        timeMs: slot * periodMs,
        values: Float32Array.from({ length: features }, (_, k) => reading(dice, slot, k)),
      }));
    walk.turn(frames);
    slot += dice.chance(0.9) ? 1 : dice.int(0, 9);
  }
  return walk.end();
}

function reading(dice: Dice, slot: number, feature: number): number {
  if (dice.chance(0.04)) return Number.NaN;
  // corners instead of a sine: every machine has the same bits
  const wave = Math.abs((slot % 24) - 12) - 6 + 3 * (dice.next() - 0.5);
  return 20 * (feature + 1) + wave * (dice.chance(0.02) ? 1_000 : 1);
}

/** Every hour of the model's test part, from zero states; the streams of an hour are one batch. */
export function walkTestPart(engine: Engine, { series, features }: Dataset): string {
  const walk = createWalk(engine);
  const { periodMs } = engine.model.input;
  const { validationEndMs, testEndMs } = engine.model.training;
  for (let slot = slotOf(validationEndMs, periodMs); slot < slotOf(testEndMs, periodMs); slot++) {
    const heard = series.filter(({ firstSlot, present }) => present[slot - firstSlot] === 1);
    const frames = heard.map(({ stream, firstSlot, values }) => {
      const at = (slot - firstSlot) * features.length;
      return { stream, timeMs: slot * periodMs, values: values.subarray(at, at + features.length) };
    });
    walk.turn(frames);
  }
  return walk.end();
}
